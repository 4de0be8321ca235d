import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { systemClock } from '../lib/clock.ts'
import { type Config, loadConfig } from '../lib/config/load.ts'
import { runUntilSignal } from '../lib/lifecycle.ts'
import { createLogger, type Logger } from '../lib/log.ts'
import { createNotifier, withNotifier } from '../lib/notify.ts'
import { type Place, takePlace } from '../server/processes/place.ts'
import { superviseProcesses } from '../server/processes/supervise.ts'
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
      const place = takePlace(process.env)
      if (place !== null) return await runPlace(config, place)
      const log = createLogger()
      warnOfOpenSecrets(config, log)
      const { processes } = config.server
      const server =
        processes > 1
          ? superviseProcesses({ count: processes, log })
          : await createWholeServer(config, log, null)
      await runUntilSignal(withNotifier(server, createNotifier({ env: process.env, log })), log)
    })
}

async function runPlace(config: Config, place: Place): Promise<void> {
  const log = createLogger().child({ process: place.number })
  try {
    await runUntilSignal(await createWholeServer(config, log, place), log, place.told)
  } finally {
    place.leave()
  }
}

/** Loaded here: a process that only looks after others does without the memory. */
async function createWholeServer(config: Config, log: Logger, place: Place | null) {
  // garbage is collected when it is half of what is in use, not three times that: bench/README.md, fleet
  setFlagsFromString('--heap-growing-percent=50')
  const { createServer } = await import('../server/server.ts')
  const { createEvaluator } = await import('../evaluator/evaluator.ts')
  return createServer({
    config,
    log,
    clock: systemClock,
    place,
    ...(config.server.evaluate && {
      beside: (shared) =>
        createEvaluator({
          config,
          log,
          environment: process.env,
          instance: place?.instances.evaluator,
          ...shared,
        }),
    }),
  })
}
