import { explainError } from '../../lib/errors.ts'
import {
  type CommitToEvaluate,
  findCommitToEvaluate,
  finishCommit,
  markRunning,
  markSuperseded,
  markWaiting,
  recordContents,
} from '../../store/commit-runs.ts'
import { isSearching } from '../../store/drift-search.ts'
import { listEvaluated, recordEvaluations } from '../../store/evaluations.ts'
import { findFlake, type FlakeRow } from '../../store/flakes.ts'
import type { EvaluateCommitJob } from '../../store/job-queue.ts'
import { listConfigurationsInUse } from '../../store/systems.ts'
import type { EvaluatorContext } from '../context.ts'
import { withCredentials } from '../credentials.ts'
import { GitError } from '../git/git-error.ts'
import { NixError } from '../nix/nix-error.ts'
import type { FetchedFlake, FlakeSource } from '../nix/types.ts'
import { OUR_FAULT } from './our-fault.ts'
import { createRecorder } from './recorder.ts'

/** Whether no try is left after this one. */
export interface Attempt {
  isLast: boolean
}

/**
 * Evaluates one commit: all its configurations that have no result yet. Every end is recorded with its reason; rejects
 * when trying again can help and there are tries left.
 */
export async function evaluateCommit(
  context: EvaluatorContext,
  job: EvaluateCommitJob,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<void> {
  const { db, log } = context
  const commit = await findCommitToEvaluate(db, job.commitId)
  if (commit === null) return
  const flake = await findFlake(db, commit.flakeId)
  if (flake === null) return
  if (!(await isWanted(context, commit, job))) {
    await markSuperseded(db, commit.id)
    return
  }
  try {
    const took = await evaluate(context, flake, commit, job, signal)
    log.info({ flake: flake.url, commit: commit.sha, ...took }, 'a commit is evaluated')
  } catch (error) {
    if (signal.aborted) {
      await markWaiting(db, commit.id, null)
      throw error
    }
    const failure = failureOf(error)
    if (failure.canHeal && !attempt.isLast) {
      await markWaiting(db, commit.id, failure)
      throw new Error(`${flake.url} cannot be evaluated at ${commit.sha} for now`, { cause: error })
    }
    log.warn({ err: error, flake: flake.url, commit: commit.sha }, 'a commit cannot be evaluated')
    await finishCommit(db, commit, { status: 'failed', ...failure })
  }
}

/** A commit that is no longer the newest is evaluated only where an operator or a system's search wants it. */
async function isWanted(
  { db }: EvaluatorContext,
  commit: CommitToEvaluate,
  job: EvaluateCommitJob,
): Promise<boolean> {
  if (commit.flakeArchived) return false
  if (commit.isHead || job.again !== null) return true
  return commit.withinSearch && (await isSearching(db, commit.flakeId))
}

async function evaluate(
  context: EvaluatorContext,
  flake: FlakeRow,
  commit: CommitToEvaluate,
  job: EvaluateCommitJob,
  signal: AbortSignal,
): Promise<Record<`${'fetch' | 'list' | 'evaluate' | 'record'}Ms`, number>> {
  const { db, nix } = context
  const lap = createLaps()
  const nixVersion = await nix.version()
  await markRunning(db, commit.id, nixVersion)
  const source = await sourceOf(context, flake, commit.sha, signal)
  const fetched = await fetchInputs(context, flake, source, signal)
  const fetchMs = lap()
  const names = await nix.listConfigurations(fetched, { signal })
  const listMs = lap()
  await recordContents(db, commit.id, { configurations: names.length, inputs: fetched.inputs })
  const done = new Set(await listEvaluated(db, commit.id))
  const again = new Set(job.again ?? [])
  const open = names.filter((name) => !done.has(name) || again.has(name))
  const recorder = createRecorder({ record: (records) => recordEvaluations(db, commit, records), nixVersion })
  await nix.evaluate(fetched, await inUseFirst(context, flake, open), { onResult: recorder.add, signal })
  const evaluateMs = lap()
  await recorder.finish()
  await finishCommit(db, commit, { status: 'evaluated' })
  return { fetchMs, listMs, evaluateMs, recordMs: lap() }
}

/** Milliseconds since the call before, or since it was made. */
function createLaps(): () => number {
  let last = performance.now()
  return () => {
    const from = last
    last = performance.now()
    return Math.round(last - from)
  }
}

/** Another machine may have fetched the commit: then this one's mirror does not have it yet. */
async function sourceOf(
  { flakes }: EvaluatorContext,
  flake: FlakeRow,
  sha: string,
  signal: AbortSignal,
): Promise<FlakeSource> {
  const mirror = flakes.mirror(flake)
  await mirror.keep(sha, signal).catch(async (error: unknown) => {
    if (!(error instanceof GitError)) throw error
    await mirror.fetch(flake.branch, signal)
    return mirror.keep(sha, signal)
  })
  return flakes.source(flake, sha)
}

async function fetchInputs(
  { nix, flakes }: EvaluatorContext,
  flake: FlakeRow,
  source: FlakeSource,
  signal: AbortSignal,
): Promise<FetchedFlake> {
  return withCredentials(flakes.credentials(flake), ({ env }) => nix.fetchInputs(source, { env, signal }))
}

/** What a system waits for comes first. */
async function inUseFirst(
  { db }: EvaluatorContext,
  flake: FlakeRow,
  names: readonly string[],
): Promise<string[]> {
  const inUse = new Set(await listConfigurationsInUse(db, flake.id))
  return names.toSorted((a, b) => Number(inUse.has(b)) - Number(inUse.has(a)))
}

function failureOf(error: unknown): { cause: string; error: string; canHeal: boolean } {
  if (error instanceof NixError)
    return { cause: error.kind, error: explainError(error), canHeal: error.canHeal }
  if (error instanceof GitError)
    return { cause: `git_${error.kind}`, error: explainError(error), canHeal: error.canHeal }
  // ours, or the database's: a later try may do better
  return { cause: 'internal', error: OUR_FAULT, canHeal: true }
}
