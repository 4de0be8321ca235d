import { type Kysely, sql, type Transaction } from 'kysely'
import type { Role } from './api-tokens.ts'
import { recordChange } from './audit.ts'
import type { DB } from './schema.generated.ts'
import { hashToken, makeToken } from './tokens.ts'

/** A session that nobody uses for so long ends. */
export const IDLE_HOURS = 8
/** A session ends after this, however much it is used. */
export const SESSION_DAYS = 7

export interface SessionUser {
  sessionId: number
  id: number
  name: string
  display_name: string
  role: Role
  signs_in_by: 'password' | 'oidc'
  expires_at: Date
}

/** Begins a session of a user; the token is for the cookie, and is returned this once. */
export async function startSession(
  transaction: Transaction<DB>,
  user: { id: number; name: string; address: string; hours?: number },
): Promise<{ token: string; expiresAt: Date }> {
  const { token, hash } = makeToken('cfs')
  const { id, expires_at: expiresAt } = await transaction
    .insertInto('sessions')
    .values({
      user_id: user.id,
      hash,
      address: user.address,
      expires_at: sql<Date>`now() + make_interval(hours => ${user.hours ?? SESSION_DAYS * 24})`,
    })
    .returning(['id', 'expires_at'])
    .executeTakeFirstOrThrow()
  await transaction
    .updateTable('users')
    .set({ last_sign_in_at: sql<Date>`now()` })
    .where('id', '=', user.id)
    .execute()
  await recordChange(transaction, {
    action: 'session.start',
    subject: { kind: 'session', id, name: user.name },
    before: null,
    after: null,
  })
  return { token, expiresAt }
}

/**
 * Whose session this is and which role that user has now, or null. Its last use is written at most every 5 minutes; with
 * `watch` it is not used: a page that is only left open ends like any other.
 */
export async function useSession(
  db: Kysely<DB>,
  token: string,
  { watch = false }: { watch?: boolean } = {},
): Promise<SessionUser | null> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'sessions.id as sessionId',
      'users.id',
      'users.name',
      'users.display_name',
      sql<Role>`users.role`.as('role'),
      sql<SessionUser['signs_in_by']>`case when users.issuer is null then 'password' else 'oidc' end`.as(
        'signs_in_by',
      ),
      'sessions.expires_at',
      sql<boolean>`sessions.last_used_at < now() - interval '5 minutes'`.as('stale'),
    ])
    .where('sessions.hash', '=', hashToken(token))
    .where('users.disabled_at', 'is', null)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
    .where('sessions.last_used_at', '>', sql<Date>`now() - make_interval(hours => ${IDLE_HOURS})`)
    .executeTakeFirst()
  if (row === undefined) return null
  const { stale, ...user } = row
  if (stale && !watch)
    await db
      .updateTable('sessions')
      .set({ last_used_at: sql<Date>`now()` })
      .where('id', '=', user.sessionId)
      .execute()
  return user
}

/** Ends one session of a user, or all, or all but one. Returns how many there were. */
export async function endSessions(
  transaction: Transaction<DB>,
  which: { userId: number; only?: number; except?: number },
): Promise<number> {
  const ended = await transaction
    .deleteFrom('sessions')
    .using('users')
    .whereRef('users.id', '=', 'sessions.user_id')
    .where('sessions.user_id', '=', which.userId)
    .$if(which.only !== undefined, (query) => query.where('sessions.id', '=', which.only ?? 0))
    .$if(which.except !== undefined, (query) => query.where('sessions.id', '<>', which.except ?? 0))
    .returning(['sessions.id', 'users.name'])
    .execute()
  for (const { id, name } of ended)
    await recordChange(transaction, {
      action: 'session.end',
      subject: { kind: 'session', id, name },
      before: null,
      after: null,
    })
  return ended.length
}

/**
 * A name in the one form that all names of a user have, by the rules of this database, and the addresses that this user, if
 * there is one, has signed in from within the life of a session.
 */
export async function findAccount(
  db: Kysely<DB>,
  name: string,
): Promise<{ account: string; addresses: string[] }> {
  const { rows } = await sql<{ account: string; addresses: string[] }>`
    select lower(${name}::text) as account, array(
      select distinct s.address from sessions s join users u on u.id = s.user_id
      where lower(u.name) = lower(${name}::text)) as addresses`.execute(db)
  return rows[0] ?? { account: name, addresses: [] }
}

/** Forgets sessions a week after they ended: until then their addresses are known (sign-in-failures.ts). */
export async function expireSessions(db: Kysely<DB>): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('expires_at', '<', sql<Date>`now() - make_interval(days => ${SESSION_DAYS})`)
    .execute()
}
