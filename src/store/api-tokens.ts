import { type Kysely, sql } from 'kysely'
import { recordChange } from './audit.ts'
import { inTransaction } from './database.ts'
import type { DB } from './schema.generated.ts'
import { hashToken, makeToken } from './tokens.ts'

export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export interface ApiTokenRow {
  id: number
  name: string
  role: Role
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
}

/** Makes a token; its text is returned this once and never again. */
export async function createApiToken(
  db: Kysely<DB>,
  options: { name: string; role: Role; expiresAt: Date | null },
): Promise<{ id: number; token: string }> {
  const { token, hash } = makeToken('cfa')
  return inTransaction(db, async (transaction) => {
    const { id, ...after } = await transaction
      .insertInto('api_tokens')
      .values({ name: options.name, role: options.role, hash, expires_at: options.expiresAt })
      .returning(['id', 'role', 'expires_at'])
      .executeTakeFirstOrThrow()
    const subject = { kind: 'token', id, name: options.name } as const
    await recordChange(transaction, { action: 'token.create', subject, before: null, after })
    return { id, token }
  })
}

/** The token that is valid now, or null. Its last use is written at most every 5 minutes. */
export async function useApiToken(
  db: Kysely<DB>,
  token: string,
): Promise<{ id: number; name: string; role: Role } | null> {
  const row = await db
    .selectFrom('api_tokens')
    .select([
      'id',
      'name',
      sql<Role>`role`.as('role'),
      sql<boolean>`last_used_at is null or last_used_at < now() - interval '5 minutes'`.as('stale'),
    ])
    .where('hash', '=', hashToken(token))
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
  if (row === undefined) return null
  if (row.stale)
    await db
      .updateTable('api_tokens')
      .set({ last_used_at: sql`now()` })
      .where('id', '=', row.id)
      .execute()
  return { id: row.id, name: row.name, role: row.role }
}

/** All tokens that are not revoked, expired ones too. */
export async function listApiTokens(db: Kysely<DB>): Promise<ApiTokenRow[]> {
  return db
    .selectFrom('api_tokens')
    .select(['id', 'name', sql<Role>`role`.as('role'), 'created_at', 'expires_at', 'last_used_at'])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute()
}

/** False when there is no such token, or it is revoked already. */
export async function revokeApiToken(db: Kysely<DB>, id: number): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const revoked = await transaction
      .updateTable('api_tokens')
      .set({ revoked_at: sql`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning(['name', 'role', 'expires_at'])
      .executeTakeFirst()
    if (revoked === undefined) return false
    const { name, ...before } = revoked
    const subject = { kind: 'token', id, name } as const
    await recordChange(transaction, { action: 'token.revoke', subject, before, after: null })
    return true
  })
}
