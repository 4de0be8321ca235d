import { Command } from 'commander'
import { createEvaluator } from '../evaluator/evaluator.ts'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { loadConfig } from '../lib/config/load.ts'
import { createLifecycle, createPart, type Part, runUntilSignal } from '../lib/lifecycle.ts'
import { createLogger, type Logger } from '../lib/log.ts'
import { createNotifier, withNotifier } from '../lib/notify.ts'
import { createConfiguredDatabase } from '../store/configured-database.ts'
import { createDatabase } from '../store/database.ts'
import { createJobQueue } from '../store/job-queue.ts'
import { migrate } from '../store/migrate.ts'

export function createEvaluatorCommand(): Command {
  return new Command('evaluator')
    .description(
      'Runs an evaluator: asks Git for the branches of the flakes and Nix for what their commits evaluate to. A server ' +
        'runs one itself unless [server] evaluate is false. Needs [database] host; any number share the work.',
    )
    .action(async () => {
      const config = loadConfig({
        env: process.env,
        cwd: process.cwd(),
        part: 'evaluator',
        checkFlakeUrl: parseFlakeUrl,
      })
      const log = createLogger()
      const notifier = createNotifier({ env: process.env, log })
      await runUntilSignal(withNotifier(evaluatorProcess(config, log), notifier), log)
    })
}

function evaluatorProcess(config: ReturnType<typeof loadConfig>, log: Logger): Part {
  const lifecycle = createLifecycle({ timeoutMs: 30_000 })
  const start = async (): Promise<void> => {
    const configured = createConfiguredDatabase(config, log)
    lifecycle.add('the database', configured.stop)
    const connection = await configured.start()
    await migrate(connection, { log })
    const database = createDatabase(connection, {
      maxConnections: config.max_connections,
      applicationName: 'crystal-forge evaluator',
      log,
    })
    lifecycle.add('the database connections', database.close)
    const queue = createJobQueue({ connection, log })
    lifecycle.add('the jobs', queue.stop)
    await queue.start()
    const evaluator = createEvaluator({ config, database, queue, log, environment: process.env })
    lifecycle.add('the evaluator', evaluator.stop)
    await evaluator.start()
    log.info('the evaluator is ready')
  }
  return createPart(lifecycle, start)
}
