import { type Kysely, sql, type Transaction } from 'kysely'
import { type Chain, placeInChain } from '../fleet/chain.ts'
import { type FlagFacts, flagsOfReport } from '../fleet/flags.ts'
import { moveContact } from './contacts.ts'
import { lockFleet, updateDrift } from './drift.ts'
import { toBytes, toBytesOrNull, toDigestOrNull } from './digest-column.ts'
import { setReportFlags } from './flags.ts'
import { type KeyRefusal, refusalOf } from './key-standing.ts'
import type { KeyStatus } from './keys.ts'
import { withPartition } from './partitions.ts'
import type { DB } from './schema.generated.ts'

/** One verified report: what is kept as evidence, and what of it is kept parsed. Digests are `sha256:<hex>`. */
export interface ReportEntry {
  systemId: number
  keyId: string
  protocol: 0 | 1
  id: string
  sequence: number
  observedAt: Date
  reason: string
  previous: string | null
  dropped: number
  bootId: string | null
  stateDigest: string
  intervalSecs: number
  /** The silence that ends an online period, in seconds. */
  offlineAfterSecs: number
  facts: FlagFacts
  /** As parsed from the body, unknown members included. */
  system: unknown
  fingerprint: unknown
  evidence: Evidence
}

/** What a third party needs to check the signature again: everything exactly as received. */
export interface Evidence {
  body: Buffer
  method: string
  authority: string
  path: string
  contentDigest: string | null
  signatureInput: string | null
  signature: string
}

export type ReportOutcome =
  | { result: 'stored'; chain: Chain }
  | { result: 'duplicate' }
  | { result: 'replayed'; lastSequence: number }
  | { result: 'wrong-host' }
  | { result: 'refused'; problem: KeyRefusal }

/**
 * Stores a report in one transaction under the lock of its system's contact row: evidence, chain, facts, flags and
 * contact together or not at all. A report that is already there is `duplicate`, under whichever key it came.
 */
export async function recordReport(db: Kysely<DB>, entry: ReportEntry): Promise<ReportOutcome> {
  return withPartition(db, () =>
    db.transaction().execute(async (transaction) => {
      const known = await lockSystem(transaction, entry)
      const refused = await refusal(transaction, entry, known)
      if (refused !== null) return refused
      return store(transaction, entry, known)
    }),
  )
}

async function lockSystem(transaction: Transaction<DB>, entry: ReportEntry) {
  const contact = await transaction
    .selectFrom('contacts')
    .selectAll()
    .where('system_id', '=', entry.systemId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const rest = await transaction
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .leftJoin('facts', 'facts.system_id', 'keys.system_id')
    .select([
      sql<KeyStatus>`keys.status`.as('status'),
      sql<boolean>`systems.archived_at is not null`.as('archived'),
      'keys.state_sequence',
      'keys.heartbeat_sequence',
      'systems.hostname',
      sql<boolean>`facts.system_id is not null`.as('has_reported'),
      'facts.current_system',
      sql<string | null>`facts.fingerprint #>> '{software,machine_id_digest}'`.as('machine_id_digest'),
      sql<string | null>`facts.fingerprint #>> '{hardware,product_uuid}'`.as('product_uuid'),
    ])
    .where('keys.id', '=', entry.keyId)
    .where('keys.system_id', '=', entry.systemId)
    // a revocation that is answered has ended every write of its key
    .forNoKeyUpdate(['keys'])
    .executeTakeFirstOrThrow()
  return { contact, ...rest }
}
type Known = Awaited<ReturnType<typeof lockSystem>>

/** Why the report is not stored now, or null. The order is that of protocol.md: the key, the sequence, the host. */
async function refusal(
  transaction: Transaction<DB>,
  entry: ReportEntry,
  known: Known,
): Promise<ReportOutcome | null> {
  const problem = refusalOf(known)
  if (problem !== null) return { result: 'refused', problem }
  if (entry.protocol < known.contact.protocol) return { result: 'refused', problem: 'forbidden' }
  const lastSequence =
    entry.protocol === 0 ? Math.max(known.state_sequence, known.heartbeat_sequence) : known.state_sequence
  const isAbove = entry.sequence > lastSequence
  // known above the last when a key was rotated before the answer arrived; version 0 knows of no duplicates
  if ((isAbove || entry.protocol > 0) && (await isKnown(transaction, entry.systemId, entry.id)))
    return { result: 'duplicate' }
  if (!isAbove) return { result: 'replayed', lastSequence }
  if (await namesAnotherSystem(transaction, entry)) return { result: 'wrong-host' }
  return null
}

async function isKnown(transaction: Transaction<DB>, systemId: number, id: string): Promise<boolean> {
  const row = await transaction
    .selectFrom('reports')
    .select('system_id')
    .where('system_id', '=', systemId)
    .where('id', '=', toBytes(id))
    .executeTakeFirst()
  return row !== undefined
}

async function namesAnotherSystem(transaction: Transaction<DB>, entry: ReportEntry): Promise<boolean> {
  const hostname = entry.facts.hostname
  if (hostname === null) return false
  const row = await transaction
    .selectFrom('systems')
    .select('id')
    .where(sql`lower(hostname)`, '=', hostname.toLowerCase())
    .where('id', '!=', entry.systemId)
    .where('archived_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

async function store(transaction: Transaction<DB>, entry: ReportEntry, known: Known): Promise<ReportOutcome> {
  const newest = toDigestOrNull(await newestOfVersion1(transaction, entry.systemId))
  const chain = entry.protocol === 0 ? 'unchained' : await chainOf(transaction, entry, newest)
  await insertReport(transaction, entry, chain)
  await transaction
    .updateTable('keys')
    .set({ state_sequence: entry.sequence })
    .where('id', '=', entry.keyId)
    .execute()
  await setFacts(transaction, entry)
  const raised = flagsOfReport(
    entry.facts,
    {
      registeredHostname: known.hostname,
      newest,
      machineIdDigest: known.machine_id_digest,
      productUuid: known.product_uuid,
    },
    chain,
  )
  await setReportFlags(transaction, entry.systemId, raised)
  await moveContact(
    transaction,
    { ...entry, ...entry.facts, currentSystem: entry.facts.system?.current ?? null },
    known,
  )
  if (runsOther(entry, known)) {
    await lockFleet(transaction, 'systems')
    await updateDrift(transaction, { systemId: entry.systemId })
  }
  await noteReport(transaction, entry, chain)
  return { result: 'stored', chain }
}

/** The reports of version 0 are no chain: the first one of version 1 starts it, also after heartbeats of version 1. */
async function newestOfVersion1(transaction: Transaction<DB>, systemId: number): Promise<Buffer | null> {
  const row = await transaction
    .selectFrom('contacts')
    .innerJoin('reports', (join) =>
      join
        .onRef('reports.system_id', '=', 'contacts.system_id')
        .onRef('reports.id', '=', 'contacts.report_id'),
    )
    .select('reports.id')
    .where('contacts.system_id', '=', systemId)
    .where('reports.protocol', '=', 1)
    .executeTakeFirst()
  return row?.id ?? null
}

async function chainOf(
  transaction: Transaction<DB>,
  entry: ReportEntry,
  newest: string | null,
): Promise<Chain> {
  const { previous, systemId } = entry
  const known = previous !== null && previous !== newest && (await isKnown(transaction, systemId, previous))
  return placeInChain({ previous, newest, isKnown: known })
}

async function insertReport(transaction: Transaction<DB>, entry: ReportEntry, chain: Chain) {
  const { body, method, authority, path, contentDigest, signatureInput, signature } = entry.evidence
  await transaction
    .insertInto('reports')
    .values({
      system_id: entry.systemId,
      id: toBytes(entry.id),
      month: sql`date_trunc('month', now() at time zone 'UTC')::date`,
      received_at: sql`now()`,
      observed_at: entry.observedAt,
      key_id: entry.keyId,
      protocol: entry.protocol,
      sequence: entry.sequence,
      reason: entry.reason,
      previous: toBytesOrNull(entry.previous),
      dropped: entry.dropped,
      chain,
      body,
      method,
      authority,
      path,
      content_digest: contentDigest,
      signature_input: signatureInput,
      signature,
    })
    .execute()
}

async function noteReport(transaction: Transaction<DB>, entry: ReportEntry, chain: Chain) {
  const details = { id: entry.id, reason: entry.reason, chain, current: entry.facts.system?.current ?? null }
  await transaction
    .insertInto('events')
    .values({ kind: 'report', system_id: entry.systemId, details: JSON.stringify(details) })
    .execute()
}

async function setFacts(transaction: Transaction<DB>, entry: ReportEntry) {
  const facts = {
    report_id: toBytes(entry.id),
    received_at: sql<Date>`now()`,
    observed_at: entry.observedAt,
    hostname: entry.facts.hostname,
    current_system: entry.facts.system?.current ?? null,
    system: entry.system === null ? null : JSON.stringify(entry.system),
    fingerprint: JSON.stringify(entry.fingerprint),
  }
  // when it was observed, as far as the host's clock can be right: not in the future, not before what it ran before
  const observed = sql<Date>`least(${entry.observedAt}::timestamptz, now())`
  await transaction
    .insertInto('facts')
    .values({ system_id: entry.systemId, ...facts, running_since: observed })
    .onConflict((conflict) =>
      conflict.column('system_id').doUpdateSet({
        ...facts,
        running_since: sql`case when facts.current_system is not distinct from excluded.current_system
          then facts.running_since else greatest(facts.running_since, excluded.running_since) end`,
      }),
    )
    .execute()
}

/** Its newest report is a report of something else, or its first: then its drift is another. */
function runsOther(entry: ReportEntry, known: Known): boolean {
  return !known.has_reported || known.current_system !== (entry.facts.system?.current ?? null)
}
