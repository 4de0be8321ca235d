import { Command } from 'commander'
import { createEvaluator } from '../evaluator/evaluator.ts'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { loadConfig } from '../lib/config/load.ts'
import { createLifecycle, createPart, type Part, runUntilSignal } from '../lib/lifecycle.ts'
import { createLogger, type Logger } from '../lib/log.ts'
import { createNotifier, withNotifier } from '../lib/notify.ts'
import { openStore } from '../store/open-store.ts'
import { warnOfOpenSecrets } from './open-secrets.ts'

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
      warnOfOpenSecrets(config, log)
      const notifier = createNotifier({ env: process.env, log })
      await runUntilSignal(withNotifier(evaluatorProcess(config, log), notifier), log)
    })
}

function evaluatorProcess(config: ReturnType<typeof loadConfig>, log: Logger): Part {
  const lifecycle = createLifecycle({ timeoutMs: 30_000 })
  const start = async (): Promise<void> => {
    const store = await openStore(lifecycle, { config, log, applicationName: 'crystal-forge evaluator' })
    const evaluator = createEvaluator({ config, log, environment: process.env, ...store })
    lifecycle.add('the evaluator', evaluator.stop)
    await evaluator.start()
    log.info('the evaluator is ready')
  }
  return createPart(lifecycle, start)
}
