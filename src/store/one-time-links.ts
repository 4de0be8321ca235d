import { type Kysely, sql, type Transaction } from 'kysely'
import { recordChange } from './audit.ts'
import type { DB } from './schema.generated.ts'
import { hashToken, makeToken } from './tokens.ts'

const PASSWORD_LINK_DAYS = 3

/** Makes the token of the link that makes the first administrator; the one before does not work any more. */
export async function createSetUpToken(db: Kysely<DB>): Promise<string> {
  const { token, hash } = makeToken('cfl')
  await db
    .insertInto('one_time_links')
    .values({ hash })
    .onConflict((conflict) =>
      conflict
        .expression(sql`(user_id is null)`)
        .where('user_id', 'is', null)
        .doUpdateSet({ hash }),
    )
    .execute()
  return token
}

/** Whether this is the token that makes the first administrator. */
export async function isSetUpToken(db: Kysely<DB>, token: string): Promise<boolean> {
  const found = await db
    .selectFrom('one_time_links')
    .select('hash')
    .where('hash', '=', hashToken(token))
    .where('user_id', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}

/** Takes the set-up token: true for one caller, once. */
export async function takeSetUpToken(transaction: Transaction<DB>, token: string): Promise<boolean> {
  const taken = await transaction
    .deleteFrom('one_time_links')
    .where('hash', '=', hashToken(token))
    .where('user_id', 'is', null)
    .executeTakeFirst()
  return taken.numDeletedRows === 1n
}

/** Makes the token of a link with which a user chooses a password; the one before does not work any more. */
export async function createPasswordToken(
  transaction: Transaction<DB>,
  user: { id: number; name: string },
): Promise<{ token: string; expiresAt: Date }> {
  const { token, hash } = makeToken('cfl')
  const expires_at = sql<Date>`now() + make_interval(days => ${PASSWORD_LINK_DAYS})`
  const { expires_at: expiresAt } = await transaction
    .insertInto('one_time_links')
    .values({ hash, user_id: user.id, expires_at })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ hash, expires_at }))
    .returning('expires_at')
    .executeTakeFirstOrThrow()
  if (expiresAt === null) throw new Error('a link to choose a password has no end')
  await recordChange(transaction, {
    action: 'user.password-link',
    subject: { kind: 'user', id: user.id, name: user.name },
    before: null,
    after: null,
  })
  return { token, expiresAt }
}

/** Whether this is the token of a link with which a user chooses a password. */
export async function isPasswordToken(db: Kysely<DB>, token: string): Promise<boolean> {
  const found = await db
    .selectFrom('one_time_links')
    .select('hash')
    .where('hash', '=', hashToken(token))
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst()
  return found !== undefined
}

/** Ends the link with which a user could choose a password, where there is one. */
export async function endPasswordLink(transaction: Transaction<DB>, userId: number): Promise<void> {
  await transaction.deleteFrom('one_time_links').where('user_id', '=', userId).execute()
}

/** Takes a password token: whose it is, for one caller, once; null when it is unknown, used or expired. */
export async function takePasswordToken(
  transaction: Transaction<DB>,
  token: string,
): Promise<{ id: number; name: string } | null> {
  const { rows } = await sql<{ id: number; name: string }>`
    with taken as (
      delete from one_time_links where hash = ${hashToken(token)} and expires_at > now() returning user_id
    )
    select u.id, u.name from taken join users u on u.id = taken.user_id where u.disabled_at is null`.execute(
    transaction,
  )
  return rows[0] ?? null
}
