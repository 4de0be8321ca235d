import { listHeads } from '../store/flakes.ts'
import { recordRun, registerJob } from '../store/job-runs.ts'
import type { EvaluatorContext } from './context.ts'

const COLLECT_STORE = 'collect-store'

/** Pushes often come in bursts: the next is not to wait for a collection. */
const QUIET_MS = 10_000
/** Each may have brought another nixpkgs, some 200 MB: a search of a hundred commits is not to fill the disk. */
const MOST_COMMITS = 10

export type Collector = ReturnType<typeof createCollector>

/**
 * Deletes from Nix's store what evaluating commits left there, but for the newest commit of each flake: its inputs are
 * most likely those of the next. Never while a commit is evaluated, whose inputs these could be.
 */
export function createCollector(
  context: Pick<EvaluatorContext, 'db' | 'log' | 'nix' | 'flakes'>,
  stopping: AbortSignal,
) {
  const { db, log, nix, flakes } = context
  let timer: NodeJS.Timeout | undefined
  let interruption = new AbortController()
  let collecting: Promise<void> | null = null
  let commits = 0

  /** What fails here fails again, or not, the next time. */
  const collect = async (): Promise<void> => {
    interruption = new AbortController()
    const signal = AbortSignal.any([stopping, interruption.signal])
    try {
      await recordRun(db, COLLECT_STORE, async () => {
        const heads = await listHeads(db)
        const keep = heads.map(({ flake, sha }) => flakes.source(flake, sha))
        await nix.collect(keep, { signal })
      })
      commits = 0
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, 'what evaluations left in the store of Nix could not be deleted')
    }
  }
  const start = (): Promise<void> =>
    (collecting ??= collect().finally(() => {
      collecting = null
    }))

  return {
    register: () => registerJob(db, COLLECT_STORE),
    /** Evaluates one commit; this evaluator evaluates no other at the same time. */
    duringCommit: async <T>(evaluate: () => Promise<T>): Promise<T> => {
      clearTimeout(timer)
      if (commits < MOST_COMMITS)
        interruption.abort(new Error('interrupted by a commit to evaluate; it goes on afterwards'))
      await (commits < MOST_COMMITS ? collecting : start())
      try {
        return await evaluate()
      } finally {
        commits += 1
        if (!stopping.aborted) timer = setTimeout(() => void start(), QUIET_MS)
      }
    },
    stop: async (): Promise<void> => {
      clearTimeout(timer)
      await collecting
    },
  }
}
