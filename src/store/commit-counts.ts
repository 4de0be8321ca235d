import { sql, type Transaction } from 'kysely'
import type { DB } from './schema.generated.ts'

/** Counts the results of a commit, where some of them have been written. */
export async function countResults(transaction: Transaction<DB>, commitId: number): Promise<void> {
  await sql`
    update commits set succeeded = counted.succeeded, failed = counted.failed
    from (
      select count(*) filter (where status = 'succeeded') as succeeded, count(*) filter (where status = 'failed') as failed
      from evaluations where commit_id = ${commitId}
    ) counted
    where id = ${commitId}`.execute(transaction)
}

/**
 * Counts what a commit changes whose evaluation has ended, and what the one after it does, of which it is the first
 * parent: null, unknown, where the last evaluation of either failed as a whole. Only first-parent commits of the branch
 * are next to each other; others keep what was counted when they were.
 */
export async function countChanges(transaction: Transaction<DB>, commitId: number): Promise<void> {
  await sql`
    update commits set changed = case when pair.known then (
      select count(*) from evaluations before join evaluations after using (configuration)
      where before.commit_id = pair.before and after.commit_id = pair.after and before.out_path <> after.out_path) end
    from (
      select before.id as before, after.id as after,
        before.outcome = 'evaluated' and after.outcome = 'evaluated' as known
      from commits before join commits after on after.flake_id = before.flake_id and after.position = before.position + 1
      where ${commitId} in (before.id, after.id) and before.mainline and after.mainline
        and before.flake_id = (select flake_id from commits where id = ${commitId})
        and before.position between (select position - 1 from commits where id = ${commitId})
          and (select position from commits where id = ${commitId})
    ) pair
    where commits.id = pair.after`.execute(transaction)
}
