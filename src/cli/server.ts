import { Command } from 'commander'
import { systemClock } from '../lib/clock.ts'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { loadConfig } from '../lib/config/load.ts'
import { runUntilSignal } from '../lib/lifecycle.ts'
import { createLogger } from '../lib/log.ts'
import { createNotifier, withNotifier } from '../lib/notify.ts'
import { createEvaluator } from '../evaluator/evaluator.ts'
import { createServer } from '../server/server.ts'
import { warnOfOpenSecrets } from './open-secrets.ts'

export function createServerCommand(): Command {
  return new Command('server')
    .description(
      'Runs the server. Without [database] it starts a PostgreSQL of its own below [server] state_dir.',
    )
    .action(async () => {
      const config = loadConfig({
        env: process.env,
        cwd: process.cwd(),
        part: 'server',
        checkFlakeUrl: parseFlakeUrl,
      })
      const log = createLogger()
      warnOfOpenSecrets(config, log)
      const server = createServer({
        config,
        log,
        clock: systemClock,
        ...(config.server.evaluate && {
          beside: (shared) => createEvaluator({ config, log, environment: process.env, ...shared }),
        }),
      })
      await runUntilSignal(withNotifier(server, createNotifier({ env: process.env, log })), log)
    })
}
