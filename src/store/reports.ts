import type { Kysely, Transaction } from 'kysely'
import { type Chain, placeInChain } from '../fleet/chain.ts'
import { type FlagFacts, flagsOfReport } from '../fleet/flags.ts'
import { lockFleet, updateDrift } from './drift.ts'
import { setReportFlags } from './flags.ts'
import { type KeyRefusal, refusalOf } from './key-standing.ts'
import { withPartition } from './partitions.ts'
import { lockReporters, type Reporter } from './reporters.ts'
import { type AcceptedReport, noteReports, writeReports } from './report-rows.ts'
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
 * Stores reports of different systems in one transaction and returns their outcomes in the order given. Each is stored
 * under the lock of its system's contact row: evidence, chain, facts, flags and contact together or not at all. A report
 * that is already there is `duplicate`, under whichever key it came. Throws on a system named twice.
 */
export async function recordReports(
  db: Kysely<DB>,
  entries: readonly ReportEntry[],
): Promise<ReportOutcome[]> {
  if (new Set(entries.map((entry) => entry.systemId)).size !== entries.length)
    throw new Error('a batch of reports may hold one of each system')
  return withPartition(db, () => db.transaction().execute((transaction) => record(transaction, entries)))
}

/** One report, as `recordReports`. */
export async function recordReport(db: Kysely<DB>, entry: ReportEntry): Promise<ReportOutcome> {
  const [outcome] = await recordReports(db, [entry])
  if (outcome === undefined) throw new Error('no outcome for a report')
  return outcome
}

async function record(
  transaction: Transaction<DB>,
  entries: readonly ReportEntry[],
): Promise<ReportOutcome[]> {
  const reporters = await lockReporters(transaction, entries)
  const accepted: AcceptedReport[] = []
  const outcomes = entries.map((entry): ReportOutcome => {
    const reporter = reporters.get(entry.systemId)
    if (reporter === undefined) throw new Error(`no key ${entry.keyId} of system ${entry.systemId}`)
    const refused = refusal(entry, reporter)
    if (refused !== null) return refused
    const chain = chainOf(entry, reporter)
    accepted.push({ entry, reporter, chain })
    return { result: 'stored', chain }
  })
  if (accepted.length > 0) await store(transaction, accepted)
  return outcomes
}

/** Why the report is not stored now, or null. The order is that of protocol.md: the key, the sequence, the host. */
function refusal(entry: ReportEntry, reporter: Reporter): ReportOutcome | null {
  const problem = refusalOf(reporter)
  if (problem !== null) return { result: 'refused', problem }
  if (entry.protocol < reporter.contact.protocol) return { result: 'refused', problem: 'forbidden' }
  const lastSequence =
    entry.protocol === 0
      ? Math.max(reporter.stateSequence, reporter.heartbeatSequence)
      : reporter.stateSequence
  const isAbove = entry.sequence > lastSequence
  // known above the last when a key was rotated before the answer arrived; version 0 knows of no duplicates
  if ((isAbove || entry.protocol > 0) && reporter.isKnown) return { result: 'duplicate' }
  if (!isAbove) return { result: 'replayed', lastSequence }
  return reporter.namesAnother ? { result: 'wrong-host' } : null
}

/** The reports of version 0 are no chain: the first one of version 1 starts it, also after heartbeats of version 1. */
function chainOf(entry: ReportEntry, { newest, isPreviousKnown }: Reporter): Chain {
  if (entry.protocol === 0) return 'unchained'
  return placeInChain({ previous: entry.previous, newest, isKnown: isPreviousKnown })
}

async function store(transaction: Transaction<DB>, accepted: readonly AcceptedReport[]): Promise<void> {
  await writeReports(transaction, accepted)
  await setReportFlags(
    transaction,
    accepted.map(({ entry, reporter, chain }) => ({
      systemId: entry.systemId,
      raised: flagsOfReport(entry.facts, reporter, chain),
      up: reporter.flags,
    })),
  )
  const systemIds = accepted.filter(runsOther).map(({ entry }) => entry.systemId)
  if (systemIds.length > 0) {
    await lockFleet(transaction, 'systems')
    await updateDrift(transaction, { systemIds })
  }
  await noteReports(transaction, accepted)
}

/** Its newest report is a report of something else, or its first: then its drift is another. */
function runsOther({ entry, reporter }: AcceptedReport): boolean {
  return !reporter.hasReported || reporter.currentSystem !== (entry.facts.system?.current ?? null)
}
