import { takeFlakesToPoll } from '../store/flakes.ts'
import { recordRun, registerJob } from '../store/job-runs.ts'
import type { EvaluatorContext } from './context.ts'
import { searchCommits } from './jobs/search-commits.ts'

/** How often it is looked for what is due; a fifth of the shortest useful interval. */
const TICK_MS = 1000

const POLL_FLAKES = 'poll-flakes'

/** Asks for what nobody announces: branches whose time has come, and searches that a report began. */
export function createPolling(
  { db, log, jobs }: Pick<EvaluatorContext, 'db' | 'log' | 'jobs'>,
  intervalMs: number,
) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null

  const tick = async (): Promise<void> => {
    const due = await takeFlakesToPoll(db, intervalMs)
    if (due.length > 0)
      await recordRun(db, POLL_FLAKES, async () => {
        for (const flakeId of due) await jobs.syncFlake(flakeId)
      })
    await searchCommits({ db, jobs })
  }
  const run = (): void => {
    running ??= tick()
      .catch((err: unknown) => log.warn({ err }, 'flakes could not be polled for now'))
      .finally(() => {
        running = null
      })
  }
  return {
    start: async (): Promise<void> => {
      await registerJob(db, POLL_FLAKES)
      timer = setInterval(run, TICK_MS)
      run()
    },
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await running
    },
  }
}
