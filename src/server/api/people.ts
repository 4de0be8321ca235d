import { type Static, Type } from 'typebox'
import { type Role, ROLES } from '../../store/api-tokens.ts'
import { Problem } from '../../protocol/problems.ts'
import { LastAdminError, NameTakenError } from '../../store/users.ts'
import { PASSWORD_LENGTH } from '../people/passwords.ts'
import { oneOf, oneOfOrNull, Time, TimeOrNull } from './schemas.ts'

export const RoleName = oneOf<Role>(ROLES)

/** What one signs in with. No control characters: names stand in logs and terminals. */
export const UserName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\s\\p{C}](?:[^\\p{C}]*[^\\s\\p{C}])?$',
})
export const DisplayName = Type.String({ maxLength: 128, pattern: '^[^\\p{C}]*$' })

/** A password that is chosen. One that is only tried may be anything. */
export const NewPassword = Type.String(PASSWORD_LENGTH)
export const TriedPassword = Type.String({ maxLength: 1024 })
export const LinkToken = Type.String({ maxLength: 128 })

export const UserSchema = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  display_name: Type.String(),
  role: RoleName,
  signs_in_by: oneOfOrNull(['password', 'oidc']),
  disabled: Type.Boolean(),
  last_sign_in_at: TimeOrNull,
  created_at: Time,
})
export type User = Static<typeof UserSchema>

/** Refuses the one password that is too easy to guess whatever its length. */
export function refuseName(password: string, name: string): void {
  if (password.normalize('NFKC').toLowerCase() === name.normalize('NFKC').toLowerCase())
    throw new Problem('invalid', 'the password must not be the name', {
      members: { errors: [{ path: '/body/password', message: 'must not be the name' }] },
    })
}

/** What the store refuses, as the problem that the client sees. */
export async function orConflict<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof NameTakenError || error instanceof LastAdminError)
      throw new Problem('conflict', error.message, { cause: error })
    throw error
  }
}
