import type { Kysely, Transaction } from 'kysely'
import { type Actor, changeAs, recordChange } from './audit.ts'
import { findCommitToEvaluate, markQueued } from './commit-runs.ts'
import { ASKED_PRIORITY, type JobRequests } from './job-queue.ts'
import type { DB } from './schema.generated.ts'

/** Which configurations of a commit that have a result are evaluated all the same; those without one are in any case. */
export type Again = 'none' | 'failed' | 'all' | { configurations: string[] }

export type Asked =
  | { result: 'queued' }
  /** It waits or runs already, and is not asked for twice: what it was asked for may be another thing. */
  | { result: 'under-way' }
  | { result: 'flake-archived' }

/** Has a commit evaluated because somebody asks for it, the newest of its branch or not. Throws when there is no such commit. */
export async function askForEvaluation(
  db: Kysely<DB>,
  jobs: JobRequests,
  { commitId, again, actor }: { commitId: number; again: Again; actor: Actor },
): Promise<Asked> {
  return changeAs(db, actor, async (transaction): Promise<Asked> => {
    const found = await findCommitToEvaluate(transaction, commitId)
    if (found === null) throw new Error(`there is no commit ${commitId} to evaluate`)
    if (found.flakeArchived) return { result: 'flake-archived' }
    const configurations = await configurationsOf(transaction, commitId, again)
    const job = { commitId, again: configurations }
    if (!(await jobs.evaluateCommit(transaction, job, { priority: ASKED_PRIORITY })))
      return { result: 'under-way' }
    await markQueued(transaction, [commitId])
    await recordChange(transaction, {
      action: typeof again === 'object' ? 'evaluation.retry' : 'commit.evaluate',
      subject: { kind: 'commit', id: commitId, name: found.sha },
      before: null,
      after: { flake_id: found.flakeId, again: configurations },
    })
    return { result: 'queued' }
  })
}

async function configurationsOf(
  transaction: Transaction<DB>,
  commitId: number,
  again: Again,
): Promise<string[]> {
  if (typeof again === 'object') return again.configurations
  if (again === 'none') return []
  const rows = await transaction
    .selectFrom('evaluations')
    .select('configuration')
    .where('commit_id', '=', commitId)
    .$if(again === 'failed', (query) => query.where('status', '=', 'failed'))
    .orderBy('configuration')
    .execute()
  return rows.map((row) => row.configuration)
}
