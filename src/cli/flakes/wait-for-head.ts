import type { Api } from '../api.ts'
import type { ApiFlake, ApiListedCommit } from '../evaluation-api.ts'
import { shortSha } from '../short-sha.ts'

/** Between two looks; an evaluation takes seconds. */
const PAUSE_MS = 300
/** An evaluator that is there has begun by then, unless it is busy. */
const EVALUATOR_PATIENCE_MS = 10_000

/**
 * Resolves with the newest commit when Git was asked after `before` and that commit is evaluated. Throws when Git could not
 * be asked, or the commit cannot be evaluated.
 */
export async function waitForHead(
  api: Api,
  before: ApiFlake,
  show: (text: string) => void,
): Promise<ApiListedCommit> {
  const startMs = performance.now()
  for (;;) {
    const flake = await api.getFlake(before.id)
    if (flake.sync_failed_at !== null && flake.sync_failed_at !== before.sync_failed_at)
      throw new Error(`flake ${flake.id} cannot be fetched: ${flake.sync_error ?? 'for an unknown reason'}`)
    if (flake.archived_at !== null) throw new Error(`flake ${flake.id} is no longer followed`)
    if (flake.synced_at === null || flake.synced_at === before.synced_at) {
      show(askingText(flake, performance.now() - startMs))
    } else {
      const [head] = await api.listCommits(flake.id, 1)
      if (head?.status === 'evaluated') return head
      if (head?.status === 'failed') throw new Error(await failureText(api, head))
      if (head !== undefined) show(evaluatingText(flake, head))
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

function askingText({ id }: ApiFlake, waitedMs: number): string {
  const asking = `flake ${id}: Git is asked for its head`
  return waitedMs < EVALUATOR_PATIENCE_MS
    ? asking
    : `${asking}; no evaluator has done so yet: does one run, and is it busy?`
}

function evaluatingText({ id }: ApiFlake, head: ApiListedCommit): string {
  const { sha, status, configurations, succeeded, failed } = head
  if (status !== 'running') return `flake ${id}: ${shortSha(sha)} waits to be evaluated`
  if (configurations === null) return `flake ${id}: ${shortSha(sha)}: its inputs are fetched`
  return `flake ${id}: ${shortSha(sha)}: ${succeeded + failed} of ${configurations} configurations are evaluated`
}

async function failureText(api: Api, { sha, flake_id }: ApiListedCommit): Promise<string> {
  const { error, cause } = await api.getCommit(sha, flake_id)
  return `flake ${flake_id}: ${shortSha(sha)} cannot be evaluated (${cause ?? 'unknown'}): ${error ?? ''}`
}
