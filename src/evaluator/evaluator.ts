import type { Job, JobWithMetadata } from 'pg-boss'
import type { Config } from '../lib/config/load.ts'
import { createLifecycle, type Part } from '../lib/lifecycle.ts'
import type { Logger } from '../lib/log.ts'
import { finishCommit, findCommitToEvaluate } from '../store/commit-runs.ts'
import type { Database } from '../store/database.ts'
import { takeFlakesToPoll } from '../store/flakes.ts'
import {
  EVALUATE_COMMIT,
  type EvaluateCommitJob,
  type JobQueue,
  LOST_EVALUATION,
  SYNC_FLAKE,
  type SyncFlakeJob,
} from '../store/job-queue.ts'
import { recordRun, registerJob } from '../store/job-runs.ts'
import type { EvaluatorContext } from './context.ts'
import { createFlakeAccess } from './flake-access.ts'
import { evaluateCommit } from './jobs/evaluate-commit.ts'
import { syncFlake } from './jobs/sync-flake.ts'
import { createNix } from './nix/nix.ts'
import { claimDirectory } from './own-directory.ts'

/** How often it is looked whether a flake is due: a fifth of the shortest useful interval. */
const POLL_TICK_MS = 1000

/**
 * Does the work of the job queue: asks Git for heads, by webhook or by time, and Nix for what they evaluate to. Any
 * number of evaluators share it; what one leaves when it dies another takes over.
 */
export function createEvaluator(options: {
  config: Pick<Config, 'evaluator' | 'flakes' | 'server'>
  database: Pick<Database, 'db'>
  queue: JobQueue
  log: Logger
  environment: Readonly<Record<string, string | undefined>>
}): Part {
  const { config, database, queue, log } = options
  const { db } = database
  const lifecycle = createLifecycle({ timeoutMs: 20_000 })
  const stopping = new AbortController()
  const signalOf = (job: Job<unknown>) => AbortSignal.any([stopping.signal, job.signal])

  const start = async (): Promise<void> => {
    const directory = await claimDirectory(config.server.state_dir)
    lifecycle.add('its directory', directory.release)
    const context: EvaluatorContext = {
      db,
      log,
      jobs: queue.requests,
      flakes: createFlakeAccess(directory.path, config.flakes),
      nix: createNix({
        stateDirectory: directory.path,
        workers: config.evaluator.workers,
        memoryBudgetBytes: config.evaluator.memory_budget,
        timeoutMs: config.evaluator.timeout,
        environment: options.environment,
      }),
    }
    await registerJob(db, 'poll-flakes')
    await work(context)
    const poll = setInterval(() => void pollFlakes(), POLL_TICK_MS)
    lifecycle.add('polling', () => clearInterval(poll))
  }

  const work = async (context: EvaluatorContext): Promise<void> => {
    const { boss } = queue
    lifecycle.add('the work', async () => {
      stopping.abort(new Error('the evaluator stops'))
      await Promise.all([SYNC_FLAKE, EVALUATE_COMMIT, LOST_EVALUATION].map((name) => boss.offWork(name)))
    })
    await boss.work<SyncFlakeJob>(SYNC_FLAKE, { localConcurrency: 2 }, async ([job]) => {
      if (job !== undefined) await syncFlake(context, job.data.flakeId, signalOf(job))
    })
    const evaluate = async ([job]: JobWithMetadata<EvaluateCommitJob>[]): Promise<void> => {
      if (job === undefined) return
      const attempt = { isLast: job.retryCount >= job.retryLimit }
      await evaluateCommit(context, job.data, attempt, signalOf(job))
    }
    await boss.work(EVALUATE_COMMIT, { includeMetadata: true }, evaluate)
    await boss.work<EvaluateCommitJob>(LOST_EVALUATION, async ([job]) => {
      if (job !== undefined) await giveUp(job.data.commitId)
    })
  }

  /** Its evaluators died, one after the other, most likely of it. */
  const giveUp = async (commitId: number): Promise<void> => {
    const commit = await findCommitToEvaluate(db, commitId)
    if (commit === null || commit.status === 'evaluated' || commit.status === 'failed') return
    await finishCommit(db, commit, {
      status: 'failed',
      cause: 'evaluator_died',
      error: 'every evaluator that tried died or was stopped; evaluate it again when that is mended',
    })
  }

  let polling = false
  const pollFlakes = async (): Promise<void> => {
    if (polling || stopping.signal.aborted) return
    polling = true
    try {
      const due = await takeFlakesToPoll(db, config.evaluator.poll_interval)
      if (due.length === 0) return
      await recordRun(db, 'poll-flakes', async () => {
        for (const flakeId of due) await queue.requests.syncFlake(flakeId)
      })
    } catch (err) {
      log.warn({ err }, 'flakes could not be polled for now')
    } finally {
      polling = false
    }
  }

  return {
    async start() {
      try {
        await start()
      } catch (error) {
        await lifecycle.stop()
        throw error
      }
    },
    stop: () => lifecycle.stop(),
  }
}
