import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLogger } from '../../src/lib/log.ts'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { installedDirectories } from '../../src/store/embedded-postgres/binaries.ts'
import { createEmbeddedPostgres } from '../../src/store/embedded-postgres/embedded-postgres.ts'
import { migrate } from '../../src/store/migrate.ts'

/** Where it is installed its dump is taken: other versions write some things differently. */
const PREFERRED = '/usr/lib/postgresql/15/bin'

/** Runs `work` on a migrated database in a PostgreSQL of its own, with the directory of that PostgreSQL's programs. */
export async function withMigratedDatabase<T>(
  work: (connection: ConnectionOptions, binaries: string) => Promise<T>,
): Promise<T> {
  const binaries = [PREFERRED, ...(await installedDirectories())].find((directory) =>
    ['postgres', 'initdb', 'pg_dump'].every((program) => existsSync(join(directory, program))),
  )
  if (binaries === undefined)
    throw new Error('no PostgreSQL with pg_dump found: install the package postgresql')
  const log = createLogger({ level: 'warn' })
  const stateDir = await mkdtemp('/tmp/crystal-forge-generate-')
  // for the user that PostgreSQL runs as when we are root
  await chmod(stateDir, 0o755)
  const options = { stateDir, log, settings: { fsync: 'off' }, binaryDirectories: [binaries] }
  const postgres = createEmbeddedPostgres(options)
  try {
    const connection = await postgres.start()
    await migrate(connection, { log })
    return await work(connection, binaries)
  } finally {
    await postgres.stop()
    await rm(stateDir, { recursive: true, force: true })
  }
}
