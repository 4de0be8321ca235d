import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

/** How many jobs wait in each queue that has any. None before the first server has made the queues. */
export async function countWaitingJobs(db: Kysely<DB>): Promise<{ queue: string; waiting: number }[]> {
  const { rows: found } = await sql<{ there: boolean }>`
    select to_regclass('pgboss.job') is not null as there`.execute(db)
  if (found[0]?.there !== true) return []
  const { rows } = await sql<{ queue: string; waiting: number }>`
    select name as queue, count(*) as waiting from pgboss.job where state < 'active' group by name`.execute(
    db,
  )
  return rows
}
