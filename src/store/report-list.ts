import { type Kysely, sql, type SqlBool } from 'kysely'
import { toBytes, toDigest, toDigestOrNull } from './digest-column.ts'
import type { DB } from './schema.generated.ts'

const LISTED = [
  'reports.id',
  'reports.received_at',
  'reports.observed_at',
  'reports.key_id',
  'reports.protocol',
  'reports.sequence',
  'reports.reason',
  'reports.previous',
  'reports.dropped',
  'reports.chain',
] as const

/** A system's reports, newest first, from the one after the report `after` (the last of the page before). */
export async function listReports(
  db: Kysely<DB>,
  systemId: number,
  page: { after: string | null; limit: number },
) {
  const rows = await db
    .selectFrom('reports')
    .select(LISTED)
    .where('system_id', '=', systemId)
    .where(isOlderReport(systemId, page.after))
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({ ...row, id: toDigest(row.id), previous: toDigestOrNull(row.previous) }))
}

/** Of a row of `reports`, in the order of the newest first: whether it comes after the report `after` of this system. */
export function isOlderReport(systemId: number, after: string | null) {
  if (after === null) return sql<SqlBool>`true`
  return sql<SqlBool>`(received_at, id) < (
    select received_at, id from reports where system_id = ${systemId} and id = ${toBytes(after)})`
}

/**
 * One report with everything its signature covers, exactly as received, or null. Of equal bytes from two systems the ones
 * that came first.
 */
export async function findReport(db: Kysely<DB>, id: string) {
  const row = await db
    .selectFrom('reports')
    .innerJoin('systems', 'systems.id', 'reports.system_id')
    .innerJoin('keys', 'keys.id', 'reports.key_id')
    .select([
      ...LISTED,
      'systems.hostname',
      'keys.public_key',
      'reports.body',
      'reports.method',
      'reports.authority',
      'reports.path',
      'reports.content_digest',
      'reports.signature_input',
      'reports.signature',
    ])
    .where('reports.id', '=', toBytes(id))
    .orderBy('reports.received_at')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return null
  return { ...row, id: toDigest(row.id), previous: toDigestOrNull(row.previous) }
}
