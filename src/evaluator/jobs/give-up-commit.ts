import type { Kysely } from 'kysely'
import { findCommitToEvaluate, finishCommit } from '../../store/commit-runs.ts'
import type { DB } from '../../store/schema.generated.ts'

/** Its evaluators died, one after the other, most likely of it. */
export async function giveUpCommit(db: Kysely<DB>, commitId: number): Promise<void> {
  const commit = await findCommitToEvaluate(db, commitId)
  if (commit === null || commit.status === 'evaluated' || commit.status === 'failed') return
  await finishCommit(db, commit, {
    status: 'failed',
    cause: 'evaluator_died',
    error: 'every evaluator that tried died or was stopped; evaluate it again when that is mended',
    canHeal: false,
  })
}
