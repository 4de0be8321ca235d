import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

/**
 * How the configurations of all followed flakes stand at their newest commits: `succeeded`, the cause of the failure, or
 * `pending`. A commit that fails as a whole counts as one.
 */
export async function countNewestEvaluations(db: Kysely<DB>): Promise<{ result: string; count: number }[]> {
  const { rows } = await sql<{ result: string; count: number }>`
    with heads as (
      select c.id, c.status, c.cause, c.configurations
      from flakes f join commits c on c.id = f.head_commit_id where f.archived_at is null
    ),
    counted as (
      select case e.status when 'succeeded' then 'succeeded' else e.cause end as result, count(*) as count
      from heads join evaluations e on e.commit_id = heads.id group by 1
      union all
      select coalesce(cause, 'failed'), 1 from heads where status = 'failed'
      union all
      select 'pending', greatest(coalesce(configurations, 1) - (select count(*) from evaluations where commit_id = heads.id), 0)
      from heads where status not in ('evaluated', 'failed')
    )
    select result, sum(count)::bigint as count from counted group by 1`.execute(db)
  return rows
}
