import type { Kysely } from 'kysely'
import { loadConfig, type Config } from '../lib/config/load.ts'
import { createLogger } from '../lib/log.ts'
import { createConfiguredDatabase } from '../store/configured-database.ts'
import { createDatabase, describeConnection } from '../store/database.ts'
import { migrationStatus } from '../store/migrate.ts'
import type { DB } from '../store/schema.generated.ts'

/**
 * Runs `work` on the database of the configuration, or the embedded one, which may be in use. The schema has to be there
 * already: bringing it to this version under a server of another one is no business of who only wants to write a row.
 */
export async function withDatabase<T>(
  command: string,
  work: (db: Kysely<DB>, config: Config) => Promise<T>,
  { env = process.env, cwd = process.cwd() }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<T> {
  const log = createLogger({ level: 'warn' })
  const config = loadConfig({ env, cwd, part: 'database' })
  const configured = createConfiguredDatabase(config, log)
  try {
    const connection = await configured.start()
    const { applied } = await migrationStatus(connection)
    if (applied.length === 0)
      throw new Error(
        `${describeConnection(connection)} is empty: start the server once, or run \`crystal-forge db migrate\``,
      )
    const applicationName = `crystal-forge ${command}`
    const database = createDatabase(connection, { maxConnections: 1, applicationName, log })
    try {
      return await work(database.db, config)
    } finally {
      await database.close()
    }
  } finally {
    await configured.stop()
  }
}
