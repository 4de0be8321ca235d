import { type Kysely, sql, type Transaction } from 'kysely'
import type { Role } from './api-tokens.ts'
import { recordChange } from './audit.ts'
import { endSessions } from './sessions.ts'
import type { DB } from './schema.generated.ts'

export interface UserRow {
  id: number
  name: string
  display_name: string
  role: Role
  /** How the user signs in: null until a password was chosen. */
  signs_in_by: 'password' | 'oidc' | null
  disabled: boolean
  last_sign_in_at: Date | null
  created_at: Date
}

/** What of a user can be changed; what is not given stays. */
export interface UserChange {
  display_name?: string | undefined
  role?: Role | undefined
  disabled?: boolean | undefined
}

/** A change that would leave nobody who may change users. */
export class LastAdminError extends Error {}
/** The name is taken, in some case of letters. */
export class NameTakenError extends Error {}

const COLUMNS = [
  'id',
  'name',
  'display_name',
  sql<Role>`role`.as('role'),
  sql<
    UserRow['signs_in_by']
  >`case when issuer is not null then 'oidc' when password is not null then 'password' end`.as('signs_in_by'),
  sql<boolean>`disabled_at is not null`.as('disabled'),
  'last_sign_in_at',
  'created_at',
] as const

/** All users, in the order of their names. */
export async function listUsers(db: Kysely<DB>): Promise<UserRow[]> {
  return await db
    .selectFrom('users')
    .select(COLUMNS)
    .orderBy(sql`lower(name)`)
    .execute()
}

export async function findUser(db: Kysely<DB>, id: number): Promise<UserRow | null> {
  return (await db.selectFrom('users').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null
}

/** Whether there is anybody yet: without, the set-up link makes the first administrator. */
export async function hasUsers(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select exists (select from users) as found`.execute(db)
  return rows[0]?.found === true
}

/** Adds a user, with a password (PHC string) or without one yet. Throws NameTakenError. */
export async function addUser(
  transaction: Transaction<DB>,
  user: { name: string; displayName: string; role: Role; password: string | null },
): Promise<UserRow> {
  const { name, displayName, role, password } = user
  const added = await transaction
    .insertInto('users')
    .values({ name, display_name: displayName, role, password })
    .onConflict((conflict) => conflict.expression(sql`lower(name)`).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst()
  if (added === undefined) throw new NameTakenError(`there is a user ${name} already`)
  await recordChange(transaction, {
    action: 'user.add',
    subject: subjectOf(added),
    before: null,
    after: { display_name: displayName, role },
  })
  return added
}

/**
 * Changes a user, and ends the sessions of one who is disabled. Null when there is none. Throws LastAdminError when nobody
 * could change users afterwards.
 */
export async function changeUser(
  transaction: Transaction<DB>,
  id: number,
  change: UserChange,
): Promise<UserRow | null> {
  await lockForChange(transaction, id)
  const before = await findUser(transaction, id)
  if (before === null) return null
  const after = { ...before, ...withoutUndefined(change) }
  await transaction
    .updateTable('users')
    .set({
      display_name: after.display_name,
      role: after.role,
      disabled_at: after.disabled ? sql<Date>`coalesce(disabled_at, now())` : null,
    })
    .where('id', '=', id)
    .execute()
  if (before.role === 'admin') await requireAdmin(transaction, before)
  if (after.disabled) await endSessions(transaction, { userId: id })
  const record = (
    action: 'user.change' | 'user.role' | 'user.disable' | 'user.enable',
    names: (keyof UserRow)[],
  ) =>
    recordChange(transaction, {
      action,
      subject: subjectOf(before),
      before: pick(before, names),
      after: pick(after, names),
    })
  await record('user.change', ['display_name'])
  await record('user.role', ['role'])
  await record(after.disabled ? 'user.disable' : 'user.enable', ['disabled'])
  return after
}

/** Removes a user with all sessions. False when there is none. Throws LastAdminError as `changeUser` does. */
export async function removeUser(transaction: Transaction<DB>, id: number): Promise<boolean> {
  await lockForChange(transaction, id)
  const user = await findUser(transaction, id)
  if (user === null) return false
  await transaction.deleteFrom('users').where('id', '=', id).execute()
  if (user.role === 'admin') await requireAdmin(transaction, user)
  const { display_name, role, disabled } = user
  await recordChange(transaction, {
    action: 'user.remove',
    subject: subjectOf(user),
    before: { display_name, role, disabled },
    after: null,
  })
  return true
}

export interface UserPassword {
  id: number
  name: string
  role: Role
  /** PHC string. */
  password: string
}

/** Who has this name and may sign in with a password. */
export async function findPassword(db: Kysely<DB>, name: string): Promise<UserPassword | null> {
  const row = await db
    .selectFrom('users')
    .select(['id', 'name', sql<Role>`role`.as('role'), 'password'])
    .where(sql`lower(name)`, '=', sql`lower(${name})`)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  return row === undefined || row.password === null ? null : { ...row, password: row.password }
}

/** Whether this is the user's password still, and the user may sign in; if so, nobody changes that before the transaction ends. */
export async function holdPassword(
  transaction: Transaction<DB>,
  { id, password }: Pick<UserPassword, 'id' | 'password'>,
): Promise<boolean> {
  const held = await transaction
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('password', '=', password)
    .where('disabled_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return held !== undefined
}

/** Sets a password (PHC string). With `record: false` it is the same one, hashed anew. */
export async function setPassword(
  transaction: Transaction<DB>,
  user: { id: number; name: string },
  password: string,
  { record }: { record: boolean },
): Promise<void> {
  await transaction.updateTable('users').set({ password }).where('id', '=', user.id).execute()
  if (record)
    await recordChange(transaction, {
      action: 'user.password',
      subject: subjectOf(user),
      before: null,
      after: null,
    })
}

const subjectOf = ({ id, name }: { id: number; name: string }) => ({ kind: 'user', id, name }) as const

/**
 * The user, so that what one change does is not undone by another that read before it, and all administrators: two who demote
 * each other at once would leave nobody.
 */
async function lockForChange(transaction: Transaction<DB>, id: number): Promise<void> {
  await transaction
    .selectFrom('users')
    .select('id')
    .where((where) => where.or([where('role', '=', 'admin'), where('id', '=', id)]))
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** Who is still to choose a password may follow one like it, and never one who can sign in. */
async function requireAdmin(transaction: Transaction<DB>, before: UserRow): Promise<void> {
  const admin = await transaction
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .$if(before.signs_in_by !== null, (query) =>
      query.where((where) => where.or([where('password', 'is not', null), where('issuer', 'is not', null)])),
    )
    .limit(1)
    .executeTakeFirst()
  if (admin === undefined) throw new LastAdminError('this is the last administrator who can sign in')
}

function withoutUndefined({ display_name, role, disabled }: UserChange): Partial<UserRow> {
  return {
    ...(display_name !== undefined && { display_name }),
    ...(role !== undefined && { role }),
    ...(disabled !== undefined && { disabled }),
  }
}

function pick(user: UserRow, names: (keyof UserRow)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, user[name]]))
}
