import { type Kysely, sql } from 'kysely'
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
  const { id } = await db
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
    .returning('id')
    .executeTakeFirstOrThrow()
  return { id, token }
}

/** All tokens that are not revoked, used up and expired ones too. */
export async function listEnrollTokens(db: Kysely<DB>): Promise<EnrollTokenRow[]> {
  return db
    .selectFrom('enroll_tokens')
    .select([
      'id',
      'name',
      'uses_left',
      'expires_at',
      'environment',
      'flake_url',
      'hostname',
      'needs_approval',
      'created_at',
    ])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute()
}

/** False when there is no such token, or it is revoked already. */
export async function revokeEnrollToken(db: Kysely<DB>, id: number): Promise<boolean> {
  const updated = await db
    .updateTable('enroll_tokens')
    .set({ revoked_at: sql`now()` })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return updated.numUpdatedRows === 1n
}
