import { loadConfig } from '../src/lib/config/load.ts'
import { runUntilSignal } from '../src/lib/lifecycle.ts'
import { createLogger } from '../src/lib/log.ts'
import { explainError } from '../src/lib/errors.ts'
import { createEmbeddedPostgres } from '../src/store/embedded-postgres/embedded-postgres.ts'

try {
  const { server } = loadConfig({ env: process.env, cwd: process.cwd(), part: 'none' })
  const log = createLogger()
  const postgres = createEmbeddedPostgres({ stateDir: server.state_dir, log })
  // process-compose waits for what this logs when it is ready
  await runUntilSignal({ start: async () => void (await postgres.start()), stop: postgres.stop }, log)
} catch (error) {
  process.stderr.write(`script/dev-postgres: ${explainError(error)}\n`)
  process.exitCode = 1
}
