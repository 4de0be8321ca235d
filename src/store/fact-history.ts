import { type Kysely, sql } from 'kysely'
import { toDigest } from './digest-column.ts'
import { isOlderReport } from './report-list.ts'
import type { DB } from './schema.generated.ts'

/** What a stored report said. */
export interface ReportedFacts {
  id: string
  received_at: Date
  observed_at: Date
  /** As JSON: the members of a report of version 1. */
  facts: { system: Record<string, unknown> | null; fingerprint: unknown }
}

/**
 * What a system's reports said, newest first, from the one after the report `after`. Those of version 0 are left out: they
 * name other facts.
 */
export async function listReportedFacts(
  db: Kysely<DB>,
  systemId: number,
  page: { after: string | null; limit: number },
): Promise<ReportedFacts[]> {
  const rows = await db
    .selectFrom('reports')
    .select(['id', 'received_at', 'observed_at', 'body'])
    .where('system_id', '=', systemId)
    .where('protocol', '=', 1)
    .where(isOlderReport(systemId, page.after))
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map(({ id, body, ...times }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was parsed strictly before it was stored
    const { system, fingerprint } = JSON.parse(body.toString('utf8')) as ReportedFacts['facts']
    return { id: toDigest(id), ...times, facts: { system, fingerprint } }
  })
}

export interface OnlinePeriod {
  started_at: Date
  /** Null: it lasts. */
  ended_at: Date | null
  boot_id: string | null
}

/** The periods that a system was online in between two times, newest first, at most `limit`. */
export async function listOnlinePeriods(
  db: Kysely<DB>,
  systemId: number,
  range: { from: Date; to: Date; limit: number },
): Promise<OnlinePeriod[]> {
  const { rows } = await sql<OnlinePeriod>`
    select online_since as started_at, null::timestamptz as ended_at, boot_id from contacts
    where system_id = ${systemId} and online_since < ${range.to} and last_contact >= ${range.from}
    union all
    select started_at, ended_at, boot_id from online_periods
    where system_id = ${systemId} and started_at < ${range.to} and ended_at >= ${range.from}
    order by started_at desc limit ${range.limit}`.execute(db)
  return rows
}
