import type { Kysely } from 'kysely'
import { toDigestOrNull } from './digest-column.ts'
import type { DB } from './schema.generated.ts'

/** The digest of a system's newest accepted report, or null before the first. */
export async function findStateDigest(db: Kysely<DB>, systemId: number): Promise<string | null> {
  const row = await db
    .selectFrom('contacts')
    .select('state_digest')
    .where('system_id', '=', systemId)
    .executeTakeFirst()
  return toDigestOrNull(row?.state_digest ?? null)
}
