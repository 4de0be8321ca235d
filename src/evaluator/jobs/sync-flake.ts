import type { Transaction } from 'kysely'
import { explainError } from '../../lib/errors.ts'
import { findHeadState, listKnownCommits, recordBranch, recordUnchanged } from '../../store/commits.ts'
import { findFlake, type FlakeRow, recordSyncFailure } from '../../store/flakes.ts'
import type { DB } from '../../store/schema.generated.ts'
import type { EvaluatorContext } from '../context.ts'
import { GitError } from '../git/git-error.ts'
import type { Head } from '../git/remote.ts'
import { readBranch } from '../read-branch.ts'
import { OUR_FAULT } from './our-fault.ts'
import { headPriority } from './priorities.ts'
import { queueCommits } from './queue-commits.ts'

/**
 * Asks Git what a flake's branch is at, records it, and has a new head evaluated. What Git cannot say is recorded with
 * the flake; rejects when trying again can help.
 */
export async function syncFlake(
  context: EvaluatorContext,
  flakeId: number,
  signal: AbortSignal,
): Promise<void> {
  const { db, log, flakes } = context
  const flake = await findFlake(db, flakeId)
  if (flake === null || flake.archived_at !== null) return
  try {
    const head = await flakes.mirror(flake).fetch(flake.branch, signal)
    const before = await findHeadState(db, flake.id)
    const isSame = before?.sha === head.head && before.branch === head.branch && before.missing <= 0
    if (isSame && !needsEvaluation(before)) await recordUnchanged(db, flake.id)
    else await record(context, flake, head, { again: isSame && before.canHeal, signal })
  } catch (error) {
    if (signal.aborted) throw error
    const isGit = error instanceof GitError
    await recordSyncFailure(db, flakeId, isGit ? explainError(error) : OUR_FAULT)
    if (!isGit || error.canHeal) throw new Error(`${flake.url} cannot be fetched for now`, { cause: error })
    log.warn({ err: error, flake: flake.url }, 'a flake cannot be fetched')
  }
}

/** It has no result yet (one that has a job is not queued twice), or none for a reason that may be gone. */
function needsEvaluation({ status, canHeal }: { status: string; canHeal: boolean }): boolean {
  return status === 'failed' ? canHeal : status !== 'evaluated'
}

async function record(
  { db, log, flakes, jobs }: EvaluatorContext,
  flake: FlakeRow,
  head: Head,
  { again, signal }: { again: boolean; signal: AbortSignal },
): Promise<void> {
  const known = await listKnownCommits(db, flake.id)
  const before = { known, searchDepth: flake.search_depth }
  const state = await readBranch(flakes.mirror(flake), head, before, signal)
  const follow = (transaction: Transaction<DB>, { commitId }: { commitId: number }) =>
    queueCommits(transaction, jobs, new Map([[commitId, headPriority(commitId)]]), { again })
  const { moved } = await recordBranch(db, flake.id, state, follow)
  if (moved) log.info({ flake: flake.url, branch: head.branch, head: head.head }, 'a branch has moved')
}
