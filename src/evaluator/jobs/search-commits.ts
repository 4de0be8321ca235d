import { readUnsearched, listFlakesToSearch } from '../../store/drift-search.ts'
import type { EvaluatorContext } from '../context.ts'
import { searchPriority } from './priorities.ts'
import { queueCommits } from './queue-commits.ts'

/** While a system runs what no commit explains, the older ones are evaluated too, the newest first, below new heads. */
export async function searchCommits({ db, jobs }: Pick<EvaluatorContext, 'db' | 'jobs'>): Promise<void> {
  const flakeIds = await listFlakesToSearch(db)
  for (const commits of (await readUnsearched(db, flakeIds)).values()) {
    const priorities = new Map(commits.map(({ id, position }) => [id, searchPriority(position)]))
    await db.transaction().execute((transaction) => queueCommits(transaction, jobs, priorities))
  }
}
