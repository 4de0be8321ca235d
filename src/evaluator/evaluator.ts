import type { JobWithMetadata } from 'pg-boss'
import type { Config } from '../lib/config/load.ts'
import { createLifecycle, createPart, type Part } from '../lib/lifecycle.ts'
import type { Logger } from '../lib/log.ts'
import type { Database } from '../store/database.ts'
import { createPresence } from '../store/instances.ts'
import {
  EVALUATE_COMMIT,
  type EvaluateCommitJob,
  type JobQueue,
  LOST_EVALUATION,
  SYNC_FLAKE,
  type SyncFlakeJob,
} from '../store/job-queue.ts'
import { type Collector, createCollector } from './collector.ts'
import type { EvaluatorContext } from './context.ts'
import { createFlakeAccess } from './flake-access.ts'
import { evaluateCommit } from './jobs/evaluate-commit.ts'
import { giveUpCommit } from './jobs/give-up-commit.ts'
import { syncFlake } from './jobs/sync-flake.ts'
import { createNix } from './nix/nix.ts'
import { claimDirectory } from './own-directory.ts'
import { createPolling } from './polling.ts'

/** Flakes that are asked for their branches at the same time: most of it is waiting for the network. */
const SYNCS_AT_ONCE = 4

/** New jobs announce themselves; those to be tried again, or given back, do not. */
const LOOK = { notifyPollingIntervalSeconds: 2 }

/**
 * Does the work of the job queue: asks Git for heads, by webhook or by time, and Nix for what they evaluate to. Any
 * number of evaluators share it; what one leaves when it stops or dies another takes over.
 */
export function createEvaluator(options: {
  config: Pick<Config, 'evaluator' | 'flakes' | 'server'>
  database: Pick<Database, 'db'>
  queue: JobQueue
  log: Logger
  environment: Readonly<Record<string, string | undefined>>
  /** Under what it says that it is there; default: an id of its own. */
  instance?: string | undefined
}): Part {
  const { config, queue, log, instance } = options
  const { db } = options.database
  const lifecycle = createLifecycle({ timeoutMs: 20_000 })
  const stopping = new AbortController()

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
    const collector = createCollector(context, stopping.signal)
    await collector.register()
    lifecycle.add('collecting', collector.stop)
    await work(context, collector)
    const polling = createPolling(context, config.evaluator.poll_interval)
    lifecycle.add('polling', polling.stop)
    await polling.start()
    const presence = createPresence({ db, kind: 'evaluator', log, id: instance })
    lifecycle.add('its presence', presence.stop)
    await presence.start()
  }

  const work = async (context: EvaluatorContext, collector: Collector): Promise<void> => {
    const { boss } = queue
    lifecycle.add('the work', async () => {
      stopping.abort(new Error('the evaluator stops'))
      await Promise.all([SYNC_FLAKE, EVALUATE_COMMIT, LOST_EVALUATION].map((name) => boss.offWork(name)))
    })
    await boss.work(
      SYNC_FLAKE,
      { ...LOOK, includeMetadata: true, localConcurrency: SYNCS_AT_ONCE },
      ([job]: JobWithMetadata<SyncFlakeJob>[]) =>
        doOrGiveBack(job, (given, signal) => syncFlake(context, given.data.flakeId, signal)),
    )
    await boss.work(
      EVALUATE_COMMIT,
      { ...LOOK, includeMetadata: true },
      ([job]: JobWithMetadata<EvaluateCommitJob>[]) =>
        doOrGiveBack(job, (given, signal) =>
          collector.duringCommit(() =>
            evaluateCommit(context, given.data, { isLast: given.retryCount >= given.retryLimit }, signal),
          ),
        ),
    )
    await boss.work<EvaluateCommitJob>(LOST_EVALUATION, LOOK, async ([job]) => {
      if (job !== undefined) await giveUpCommit(db, job.data.commitId)
    })
  }

  /** What is stopped for our sake is not failed: another takes it at once, unless it was taken from us before. */
  async function doOrGiveBack<Given extends JobWithMetadata<unknown>>(
    job: Given | undefined,
    action: (job: Given, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (job === undefined) return
    try {
      await action(job, AbortSignal.any([stopping.signal, job.signal]))
    } catch (error) {
      if (!stopping.signal.aborted) {
        log.warn({ err: error, job: job.name }, 'a job failed, and is tried again while it has tries')
        throw error
      }
      await queue.giveBack(job)
    }
  }

  return createPart(lifecycle, start)
}
