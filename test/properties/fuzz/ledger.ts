import { type Kysely, sql } from 'kysely'
import { sha256Id } from '../../../src/protocol/digests.ts'
import { PROBLEM_PREFIX, PROBLEMS } from '../../../src/protocol/problems.ts'
import type { DB } from '../../../src/store/schema.generated.ts'
import type { RawReply } from '../../support/raw-http.ts'

/** Answers by status, and what the server has acknowledged: only that may be in its database. */
export interface Ledger {
  statuses: Map<number, number>
  /** Ids of reports of version 1 that were accepted. */
  acknowledged: Set<string>
  /** Digests of all other bodies answered with 200: of version 0 some are stored as reports. */
  accepted: Set<string>
}

export const createLedger = (): Ledger => ({
  statuses: new Map(),
  acknowledged: new Set(),
  accepted: new Set(),
})

const KNOWN = new Map(Object.entries(PROBLEMS).map(([name, { status }]) => [PROBLEM_PREFIX + name, status]))

/** Throws unless the answer is 200, 202 for a webhook, or a refusal with its problem document. Notes what was acknowledged. */
export function note(ledger: Ledger, reply: RawReply, body: Buffer): void {
  ledger.statuses.set(reply.status, (ledger.statuses.get(reply.status) ?? 0) + 1)
  if (reply.status === 200) {
    const id = sha256Id(body)
    if (reply.body?.accepted === undefined) ledger.accepted.add(id)
    else if (reply.body.accepted === id) ledger.acknowledged.add(id)
    else throw new Error(`${id} was acknowledged as ${reply.body.accepted}`)
    return
  }
  if (reply.status === 202 && reply.body?.outcome === 'accepted') return
  if (reply.status < 400 || reply.status >= 500)
    throw new Error(`answered with ${reply.status}: ${reply.text}`)
  if (KNOWN.get(reply.body?.type) !== reply.status || reply.body.status !== reply.status)
    throw new Error(`${reply.status} without its problem document: ${reply.text}`)
}

/** The ids of the stored reports of these systems. */
export async function storedReports(db: Kysely<DB>, hostnames: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select 'sha256:' || encode(reports.id, 'hex') as id from reports
    join systems on systems.id = reports.system_id where hostname = any(${hostnames})`.execute(db)
  return new Set(rows.map(({ id }) => id))
}
