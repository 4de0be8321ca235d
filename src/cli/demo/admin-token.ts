import { createApiToken } from '../../store/api-tokens.ts'
import { changeAs } from '../../store/audit.ts'
import { commandActor } from '../command-actor.ts'
import { withDatabase } from '../database.ts'

/** The first token of a new server can only come from its database, which runs already and is shared. */
export async function createAdminToken(configPath: string): Promise<string> {
  const wanted = { name: 'demo', role: 'admin', expiresAt: null } as const
  const { token } = await withDatabase(
    'demo',
    (db) => changeAs(db, commandActor(), (transaction) => createApiToken(transaction, wanted)),
    { env: { CONFIG_PATH: configPath }, cwd: '/' },
  )
  return token
}
