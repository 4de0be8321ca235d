import { loadConfig } from '../lib/config/load.ts'
import { createLogger } from '../lib/log.ts'
import { createApiToken, type Role } from '../store/api-tokens.ts'
import { changeAs } from '../store/audit.ts'
import { createConfiguredDatabase } from '../store/configured-database.ts'
import { createDatabase, describeConnection } from '../store/database.ts'
import { migrationStatus } from '../store/migrate.ts'
import type { CreatedToken } from './api.ts'
import { commandActor } from './command-actor.ts'

/**
 * Makes an API token in the database of the configuration, or the embedded one, which may be in use. The schema has to be
 * there already: bringing it to this version under a server of another one is not a token's business.
 */
export async function createTokenInDatabase(token: {
  name: string
  role: Role
  expiresAt: Date | null
}): Promise<CreatedToken> {
  const log = createLogger({ level: 'warn' })
  const configured = createConfiguredDatabase(
    loadConfig({ env: process.env, cwd: process.cwd(), part: 'database' }),
    log,
  )
  try {
    const connection = await configured.start()
    const { applied } = await migrationStatus(connection)
    if (applied.length === 0)
      throw new Error(
        `${describeConnection(connection)} is empty: start the server once, or run \`crystal-forge db migrate\``,
      )
    const database = createDatabase(connection, {
      maxConnections: 1,
      applicationName: 'crystal-forge tokens',
      log,
    })
    try {
      return await changeAs(database.db, commandActor(), (transaction) => createApiToken(transaction, token))
    } finally {
      await database.close()
    }
  } finally {
    await configured.stop()
  }
}
