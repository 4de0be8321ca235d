import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import type { DB } from '../../store/schema.generated.ts'
import { startSession } from '../../store/sessions.ts'
import { beginSignIn, type SignInTry } from '../../store/sign-in-failures.ts'
import { findPassword, setPassword } from '../../store/users.ts'
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
  const attempt = await beginSignInOrRefuse(db, name, address, () => count('refused'))
  const user = await findPassword(db, name)
  const { right, outdated } = await checkPassword(password, user?.password ?? null)
  if (user === null || !right) {
    count('failed')
    throw new Problem('unauthenticated', 'the name or the password is not right')
  }
  await attempt.succeeded()
  count('succeeded')
  const renewed = outdated ? await hashPassword(password) : null
  const actor = { kind: 'user', id: String(user.id), name: user.name, role: user.role, address } as const
  return await changeAs(db, actor, async (transaction) => {
    if (renewed !== null) await setPassword(transaction, user, renewed, { record: false })
    return await startSession(transaction, { id: user.id, name: user.name, address })
  })
}

/** Counts a try of a password; throws `slow-down` when there were too many. */
export async function beginSignInOrRefuse(
  db: Kysely<DB>,
  name: string,
  address: string,
  onRefusal: () => void = () => {},
): Promise<SignInTry> {
  const attempt = await beginSignIn(db, { name, address, exempt: isLoopback(address) })
  if ('waitSecs' in attempt) {
    onRefusal()
    throw new Problem('slow-down', 'too many sign-ins failed; wait before the next one', {
      retryAfter: attempt.waitSecs,
    })
  }
  return attempt
}
