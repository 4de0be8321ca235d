import { loadConfig } from '../../lib/config/load.ts'
import { createLogger } from '../../lib/log.ts'
import { createApiToken } from '../../store/api-tokens.ts'
import { changeAs } from '../../store/audit.ts'
import { createConfiguredDatabase } from '../../store/configured-database.ts'
import { createDatabase } from '../../store/database.ts'
import { commandActor } from '../command-actor.ts'

/** The first token of a new server can only come from its database, which runs already and is shared. */
export async function createAdminToken(configPath: string): Promise<string> {
  const log = createLogger({ level: 'warn' })
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  const connection = await configured.start()
  const database = createDatabase(connection, {
    maxConnections: 1,
    applicationName: 'crystal-forge demo',
    log,
  })
  try {
    const wanted = { name: 'demo', role: 'admin', expiresAt: null } as const
    const { token } = await changeAs(database.db, commandActor(), (transaction) =>
      createApiToken(transaction, wanted),
    )
    return token
  } finally {
    await database.close()
    await configured.stop()
  }
}
