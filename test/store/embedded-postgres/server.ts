// A server process as far as the embedded PostgreSQL is concerned: brings it up, prints where it is as a line of JSON,
// and stops it on SIGTERM. Arguments: the state directory, and a user id to become.
import { createLogger } from '../../../src/lib/log.ts'
import { createEmbeddedPostgres } from '../../../src/store/embedded-postgres/embedded-postgres.ts'

const [stateDir = '', uid] = process.argv.slice(2)
if (uid !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(uid))
  process.setuid?.(Number(uid))
}

const postgres = createEmbeddedPostgres({ stateDir, log: createLogger({ level: 'warn' }) })
process.once('SIGTERM', () => void postgres.stop())
const { password, ...connection } = await postgres.start()
process.stdout.write(`${JSON.stringify({ ...connection, password: password?.reveal() })}\n`)
