import { createApiToken, type Role } from '../store/api-tokens.ts'
import { changeAs } from '../store/audit.ts'
import type { CreatedToken } from './api.ts'
import { commandActor } from './command-actor.ts'
import { withDatabase } from './database.ts'

/** Makes an API token in the database of the configuration. */
export async function createTokenInDatabase(token: {
  name: string
  role: Role
  expiresAt: Date | null
}): Promise<CreatedToken> {
  return withDatabase('tokens', (db) =>
    changeAs(db, commandActor(), (transaction) => createApiToken(transaction, token)),
  )
}
