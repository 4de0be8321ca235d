import { type Kysely, sql } from 'kysely'
import { recordChange } from './audit.ts'
import { inTransaction } from './database.ts'
import type { DB } from './schema.generated.ts'
import { makeToken } from './tokens.ts'

export interface EnrollTokenSettings {
  name: string
  uses: number
  expiresAt: Date
  environment: string | null
  flakeUrl: string | null
  hostname: string | null
  needsApproval: boolean
}

/** What the audit trail says of a token. */
const STATE = ['uses_left', 'expires_at', 'environment', 'flake_url', 'hostname', 'needs_approval'] as const

export interface EnrollTokenRow {
  id: number
  name: string
  uses_left: number
  expires_at: Date
  environment: string | null
  flake_url: string | null
  hostname: string | null
  needs_approval: boolean
  created_at: Date
}

/** Makes an enrolment token; its text is returned this once and never again. */
export async function createEnrollToken(
  db: Kysely<DB>,
  settings: EnrollTokenSettings,
): Promise<{ id: number; token: string }> {
  const { token, hash } = makeToken('cfe')
  return inTransaction(db, async (transaction) => {
    const { id, ...after } = await transaction
      .insertInto('enroll_tokens')
      .values({
        name: settings.name,
        hash,
        uses_left: settings.uses,
        expires_at: settings.expiresAt,
        environment: settings.environment,
        flake_url: settings.flakeUrl,
        hostname: settings.hostname,
        needs_approval: settings.needsApproval,
      })
      .returning(['id', ...STATE])
      .executeTakeFirstOrThrow()
    const subject = { kind: 'enroll-token', id, name: settings.name } as const
    await recordChange(transaction, { action: 'enroll-token.create', subject, before: null, after })
    return { id, token }
  })
}

/** All tokens that are not revoked, used up and expired ones too. */
export async function listEnrollTokens(db: Kysely<DB>): Promise<EnrollTokenRow[]> {
  return db
    .selectFrom('enroll_tokens')
    .select(['id', 'name', 'created_at', ...STATE])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute()
}

/** False when there is no such token, or it is revoked already. */
export async function revokeEnrollToken(db: Kysely<DB>, id: number): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const revoked = await transaction
      .updateTable('enroll_tokens')
      .set({ revoked_at: sql`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning(['name', ...STATE])
      .executeTakeFirst()
    if (revoked === undefined) return false
    const { name, ...before } = revoked
    const subject = { kind: 'enroll-token', id, name } as const
    await recordChange(transaction, { action: 'enroll-token.revoke', subject, before, after: null })
    return true
  })
}
