import { onTestFinished } from 'vitest'
import { createEvaluator } from '../../src/evaluator/evaluator.ts'
import type { FlakeConfig } from '../../src/lib/config/load.ts'
import { createLogger } from '../../src/lib/log.ts'
import { createJobQueue, type JobQueue } from '../../src/store/job-queue.ts'
import type { TestDatabase } from './database.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface TestEvaluator {
  queue: JobQueue
  stateDirectory: string
  stop: () => Promise<void>
}

export interface EvaluatorOptions {
  environment?: NodeJS.ProcessEnv
  flakes?: FlakeConfig[]
  stateDirectory?: string
  timeoutMs?: number
}

/** An evaluator with its own connection to the job queue; stopped when the test is over. Polls once at its start, then hourly. */
export async function startTestEvaluator(
  { connection, database }: Pick<TestDatabase, 'connection' | 'database'>,
  { environment = process.env, flakes = [], stateDirectory, timeoutMs = 60_000 }: EvaluatorOptions = {},
): Promise<TestEvaluator> {
  const directory = stateDirectory ?? (await temporaryDirectory())
  const log = createLogger({ level: 'fatal' })
  const queue = createJobQueue({ connection, log })
  await queue.start()
  const evaluator = createEvaluator({
    config: {
      evaluator: { workers: 2, memory_budget: 4 * 2 ** 30, timeout: timeoutMs, poll_interval: 3_600_000 },
      flakes,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that an evaluator looks at
      server: { state_dir: directory } as Parameters<typeof createEvaluator>[0]['config']['server'],
    },
    database,
    queue,
    log,
    environment,
  })
  let stopped: Promise<void> | undefined
  const stop = () =>
    (stopped ??= (async () => {
      await evaluator.stop()
      await queue.stop()
    })())
  onTestFinished(stop)
  await evaluator.start()
  return { queue, stateDirectory: directory, stop }
}
