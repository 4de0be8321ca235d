import { recordRun } from '../../store/job-runs.ts'
import { listHeads } from '../../store/flakes.ts'
import type { EvaluatorContext } from '../context.ts'

export const COLLECT_STORE = 'collect-store'

/**
 * Deletes from Nix's store what evaluating commits left there, but for the newest commit of each flake: its inputs are
 * most likely those of the next. What fails here fails again, or not, after the next commit.
 */
export async function collectStore(
  { db, log, nix, flakes }: EvaluatorContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await recordRun(db, COLLECT_STORE, async () => {
      const heads = await listHeads(db)
      await nix.collect(
        heads.map(({ flake, sha }) => flakes.source(flake, sha)),
        { signal },
      )
    })
  } catch (err) {
    if (!signal.aborted) log.warn({ err }, 'what evaluations left in the store of Nix could not be deleted')
  }
}
