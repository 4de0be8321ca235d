import { type Kysely, sql, type Transaction } from 'kysely'
import type { Role } from './api-tokens.ts'
import { changeAs, recordChange } from './audit.ts'
import { inTransaction } from './database.ts'
import { endSessions, startSession } from './sessions.ts'
import type { DB } from './schema.generated.ts'

/** A person whom an OpenID Connect provider knows. Issuer and subject are who it is; names may be those of others. */
export interface OidcPerson {
  issuer: string
  subject: string
  /** As the provider has it. */
  name: string
  displayName: string
  /** That the request came from. */
  address: string
}

export type OidcSignIn = { result: 'signed-in'; token: string; expiresAt: Date } | { result: 'disabled' }

/** A working day: then the provider is asked again who is in which group. */
export const OIDC_SESSION_HOURS = 12
const MAX_NAME = 64

interface User {
  id: number
  name: string
  display_name: string
  role: Role
  disabled: boolean
}

/**
 * Lets a person in with this role, as the user they were before, or as a new one. A role that changed holds for all their
 * sessions at once. A user with a password of the same name stays another one.
 */
export async function signInByOidc(db: Kysely<DB>, person: OidcPerson & { role: Role }): Promise<OidcSignIn> {
  return inTransaction(db, async (transaction): Promise<OidcSignIn> => {
    const known = await findPerson(transaction, person)
    const { user, isNew } =
      known === null ? await addPerson(transaction, person) : { user: known, isNew: false }
    if (user.disabled) return { result: 'disabled' }
    const { role, address } = person
    const actor = { kind: 'user', id: String(user.id), name: user.name, role, address } as const
    return changeAs(transaction, actor, async () => {
      const subject = { kind: 'user', id: user.id, name: user.name } as const
      const after = { display_name: textOf(person.displayName), role }
      if (isNew) await recordChange(transaction, { action: 'user.add', subject, before: null, after })
      else {
        const { display_name, role: before } = user
        await transaction.updateTable('users').set(after).where('id', '=', user.id).execute()
        await recordChange(transaction, {
          action: 'user.change',
          subject,
          before: { display_name },
          after: { display_name: after.display_name },
        })
        await recordChange(transaction, {
          action: 'user.role',
          subject,
          before: { role: before },
          after: { role },
        })
      }
      const session = await startSession(transaction, { ...user, address, hours: OIDC_SESSION_HOURS })
      return { result: 'signed-in', ...session }
    })
  })
}

/** Ends the sessions of a person who is in no group any more. */
export async function signOutByOidc(db: Kysely<DB>, person: OidcPerson): Promise<void> {
  await inTransaction(db, async (transaction) => {
    const user = await findPerson(transaction, person)
    if (user === null) return
    const { id, name, role } = user
    const actor = { kind: 'user', id: String(id), name, role, address: person.address } as const
    await changeAs(transaction, actor, () => endSessions(transaction, { userId: id }))
  })
}

async function findPerson(transaction: Transaction<DB>, person: OidcPerson): Promise<User | null> {
  const row = await transaction
    .selectFrom('users')
    .select([
      'id',
      'name',
      'display_name',
      sql<Role>`role`.as('role'),
      sql<boolean>`disabled_at is not null`.as('disabled'),
    ])
    .where('issuer', '=', person.issuer)
    .where('subject', '=', person.subject)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row ?? null
}

/** Under the first name of `alice`, `alice-2`, `alice-3` … that nobody has. */
async function addPerson(
  transaction: Transaction<DB>,
  person: OidcPerson & { role: Role },
): Promise<{ user: User; isNew: boolean }> {
  const wanted = textOf(person.name) || 'unnamed'
  for (let number = 1; ; number++) {
    const added = await transaction
      .insertInto('users')
      .values({
        name: number === 1 ? wanted : `${wanted}-${number}`,
        display_name: textOf(person.displayName),
        role: person.role,
        issuer: person.issuer,
        subject: person.subject,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning(['id', 'name', 'display_name', sql<Role>`role`.as('role')])
      .executeTakeFirst()
    if (added !== undefined) return { user: { ...added, disabled: false }, isNew: true }
    // the same person, in another window at the same moment
    const there = await findPerson(transaction, person)
    if (there !== null) return { user: there, isNew: false }
  }
}

/** Without what would act on a terminal, hide text or change its direction, and no longer than names are. */
function textOf(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_NAME)
    .toWellFormed()
}
