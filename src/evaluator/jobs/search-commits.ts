import { inTransaction } from '../../store/database.ts'
import { markQueued } from '../../store/commit-runs.ts'
import { listFlakesToSearch, readUnsearched } from '../../store/drift-search.ts'
import type { EvaluatorContext } from '../context.ts'
import { searchPriority } from './priorities.ts'

/** While a system runs what no commit explains, the older ones are evaluated too, the newest first, below new heads. */
export async function searchCommits({ db, jobs }: Pick<EvaluatorContext, 'db' | 'jobs'>): Promise<void> {
  const flakeIds = await listFlakesToSearch(db)
  for (const commits of (await readUnsearched(db, flakeIds)).values()) {
    await inTransaction(db, async (transaction) => {
      const queued = new Set(
        await markQueued(
          transaction,
          commits.map(({ id }) => id),
          { again: false },
        ),
      )
      for (const { id, position } of commits.filter((commit) => queued.has(commit.id)))
        await jobs.evaluateCommit(
          transaction,
          { commitId: id, again: null },
          { priority: searchPriority(position) },
        )
    })
  }
}
