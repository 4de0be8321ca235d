import type { Transaction } from 'kysely'
import { listQueueable, markQueued } from '../../store/commit-runs.ts'
import type { JobRequests } from '../../store/job-queue.ts'
import type { DB } from '../../store/schema.generated.ts'

/**
 * Has commits evaluated that are not, with `again` also those that failed or are. One that has a job gets no second one and
 * stays as it is, also when that is about to end: whoever looks next finds it.
 */
export async function queueCommits(
  transaction: Transaction<DB>,
  jobs: Pick<JobRequests, 'evaluateCommit'>,
  priorities: ReadonlyMap<number, number>,
  { again = false }: { again?: boolean } = {},
): Promise<void> {
  const queued: number[] = []
  for (const commitId of await listQueueable(transaction, [...priorities.keys()], { again })) {
    const priority = priorities.get(commitId) ?? 0
    if (await jobs.evaluateCommit(transaction, { commitId, again: null }, { priority })) queued.push(commitId)
  }
  await markQueued(transaction, queued)
}
