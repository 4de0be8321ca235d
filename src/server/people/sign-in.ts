import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import type { DB } from '../../store/schema.generated.ts'
import { startSession } from '../../store/sessions.ts'
import { beginSignIn } from '../../store/sign-in-failures.ts'
import { findPassword, holdPassword, setPassword, type UserPassword } from '../../store/users.ts'
import type { ServerContext } from '../context.ts'
import type { CountSignIn } from '../metrics.ts'
import { isLoopback } from '../ingest/failure-limit.ts'
import { checkPassword, hashPassword } from './passwords.ts'

/** Throws the same problem, after the same time, for a name that is unknown, one that is disabled, and a wrong password. */
export async function signIn(
  { db }: ServerContext,
  request: FastifyRequest,
  { name, password }: { name: string; password: string },
  count: CountSignIn,
): Promise<{ token: string; expiresAt: Date }> {
  const address = request.ip
  const tried = await tryPassword(db, { name, password, address }, () => count('refused'))
  const session = tried === null ? null : await beginSession(db, { ...tried, password, address })
  count(session === null ? 'failed' : 'succeeded')
  if (session === null) throw new Problem('unauthenticated', 'the name or the password is not right')
  return session
}

/** Null when the password was replaced, or the user disabled, while the hash was computed: those end what was open. */
async function beginSession(
  db: Kysely<DB>,
  given: { user: UserPassword; outdated: boolean; password: string; address: string },
): Promise<{ token: string; expiresAt: Date } | null> {
  const { user, outdated, password, address } = given
  const { id, name, role } = user
  const renewed = outdated ? await hashPassword(password) : null
  return await changeAs(db, { kind: 'user', id: String(id), name, role, address }, async (transaction) => {
    if (!(await holdPassword(transaction, user))) return null
    if (renewed !== null) await setPassword(transaction, user, renewed, { record: false })
    return await startSession(transaction, { id, name, address })
  })
}

/**
 * Whose password this is, or null when it is not that of the name. Throws `slow-down` after too many tries, and `unavailable`
 * when the server is too busy to look at it, which is no try.
 */
export async function tryPassword(
  db: Kysely<DB>,
  { name, password, address }: { name: string; password: string; address: string },
  onRefusal: () => void = () => {},
): Promise<{ user: UserPassword; outdated: boolean } | null> {
  const attempt = await beginSignIn(db, { name, address, exempt: isLoopback(address) })
  if ('waitSecs' in attempt) {
    onRefusal()
    throw new Problem('slow-down', 'too many sign-ins failed; wait before the next one', {
      retryAfter: attempt.waitSecs,
    })
  }
  const user = await findPassword(db, name)
  const { right, outdated } = await checkPassword(password, user?.password ?? null).catch(
    async (error: unknown) => {
      await attempt.takeBack()
      throw error
    },
  )
  if (user === null || !right) return null
  await attempt.succeeded()
  return { user, outdated }
}
