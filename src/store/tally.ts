import { type Kysely, sql } from 'kysely'
import type { DriftState } from '../fleet/drift.ts'
import type { DB } from './schema.generated.ts'

/** How many systems there are of a state, of a standing, or of both; of all without any. */
export async function countByDrift(
  db: Kysely<DB>,
  { drift, standing }: { drift?: DriftState; standing?: DriftState },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce(sum(amount), 0)::bigint as count from drift_tally
    where state = coalesce(${drift ?? null}, state) and standing = coalesce(${standing ?? null}, standing)`.execute(
    db,
  )
  return rows[0]?.count ?? 0
}

/** Adds up the changes of the counts; their sums stay what they are. Returns how many rows were added up. */
export async function addUpTally(db: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ rows: number }>`
    with taken as (delete from drift_tally returning state, standing, amount),
    kept as (
      insert into drift_tally (state, standing, amount)
      select state, standing, sum(amount) from taken group by 1, 2 having sum(amount) <> 0
    )
    select count(*) as rows from taken`.execute(db)
  return rows[0]?.rows ?? 0
}
