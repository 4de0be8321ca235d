import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export interface QueueDepth {
  queue: string
  /** Jobs that wait, and since when the oldest could have begun; null: all of them are for later. */
  waiting: number
  oldest: Date | null
}

/** Each queue in which jobs wait, by name. None before the first server that ever starts has made the queues. */
export async function readQueueDepths(db: Kysely<DB>): Promise<QueueDepth[]> {
  const { rows: found } = await sql<{ there: boolean }>`
    select to_regclass('pgboss.job') is not null as there`.execute(db)
  if (found[0]?.there !== true) return []
  const { rows } = await sql<QueueDepth>`
    select name as queue, count(*) as waiting, min(start_after) filter (where start_after <= now()) as oldest
    from pgboss.job where state < 'active' group by name order by name`.execute(db)
  return rows
}
