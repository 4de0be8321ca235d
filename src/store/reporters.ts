import { type Selectable, sql, type Transaction } from 'kysely'
import type { Flag, KnownIdentity } from '../fleet/flags.ts'
import { toBytes, toBytesOrNull, toDigestOrNull } from './digest-column.ts'
import type { KeyStatus } from './keys.ts'
import { prepared } from './prepared.ts'
import type { ReportEntry } from './reports.ts'
import type { DB } from './schema.generated.ts'

type Contact = Pick<Selectable<DB['contacts']>, 'protocol' | 'state_digest' | 'boot_id' | 'previous_boot_id'>

/** What is known of a system and its key before a report. Ids are `sha256:<hex>`. */
export interface Reporter extends KnownIdentity {
  contact: Contact
  status: KeyStatus
  archived: boolean
  stateSequence: number
  heartbeatSequence: number
  hasReported: boolean
  currentSystem: string | null
  /** Whether this very report is stored already. */
  isKnown: boolean
  /** Whether a report with the id `previous` is stored. */
  isPreviousKnown: boolean
  /** Whether the report's host name is that of another system. */
  namesAnother: boolean
  /** Those that are up. */
  flags: Flag[]
}

/** Locks the systems' contact rows in the order of their ids, then the keys, and reads what a report is judged by. */
export async function lockReporters(
  transaction: Transaction<DB>,
  entries: readonly ReportEntry[],
): Promise<Map<number, Reporter>> {
  const contacts = await lockContacts(
    transaction,
    entries.map((entry) => entry.systemId),
  )
  const rows = await lockKeys(transaction, entries)
  return new Map(
    rows.flatMap(({ system_id: systemId, ...row }) => {
      const contact = contacts.get(systemId)
      if (contact === undefined) return []
      return [[systemId, { ...row, contact, newest: toDigestOrNull(row.newest) }]]
    }),
  )
}

async function lockContacts(transaction: Transaction<DB>, systemIds: readonly number[]) {
  const { rows } = await sql<Contact & { system_id: number }>`${prepared}
    select system_id, protocol, state_digest, boot_id, previous_boot_id from contacts
    where system_id = any(${systemIds}::bigint[])
    order by system_id
    for no key update`.execute(transaction)
  return new Map(rows.map((row) => [row.system_id, row]))
}

type KeyRow = Omit<Reporter, 'contact' | 'newest'> & { system_id: number; newest: Buffer | null }

/** A statement of its own, so that it sees what whoever held the locks before has committed. */
async function lockKeys(transaction: Transaction<DB>, entries: readonly ReportEntry[]): Promise<KeyRow[]> {
  const column = <T>(pick: (entry: ReportEntry) => T) => entries.map(pick)
  const { rows } = await sql<KeyRow>`${prepared}
    select i.system_id, k.status, s.archived_at is not null as archived,
      k.state_sequence as "stateSequence", k.heartbeat_sequence as "heartbeatSequence",
      s.hostname as "registeredHostname", f.system_id is not null as "hasReported", f.current_system as "currentSystem",
      f.fingerprint #>> '{software,machine_id_digest}' as "machineIdDigest",
      f.fingerprint #>> '{hardware,product_uuid}' as "productUuid",
      exists (select from reports r where r.system_id = i.system_id and r.id = i.id) as "isKnown",
      exists (select from reports r where r.system_id = i.system_id and r.id = i.previous) as "isPreviousKnown",
      (select r.id from contacts c join reports r on r.system_id = c.system_id and r.id = c.report_id
       where c.system_id = i.system_id and r.protocol = 1) as newest,
      exists (select from systems o
              where lower(o.hostname) = i.hostname and o.id <> i.system_id and o.archived_at is null) as "namesAnother",
      array(select flag from flags where flags.system_id = i.system_id) as flags
    from unnest(
      ${column((e) => e.systemId)}::bigint[], ${column((e) => e.keyId)}::text[],
      ${column((e) => toBytes(e.id))}::bytea[], ${column((e) => toBytesOrNull(e.previous))}::bytea[],
      ${column((e) => e.facts.hostname?.toLowerCase() ?? null)}::text[]
    ) as i (system_id, key_id, id, previous, hostname)
    join keys k on k.id = i.key_id and k.system_id = i.system_id
    join systems s on s.id = i.system_id
    left join facts f on f.system_id = i.system_id
    -- a revocation that is answered has ended every write of its key
    for no key update of k`.execute(transaction)
  return rows
}
