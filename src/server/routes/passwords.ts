import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import { isPasswordToken, takePasswordToken } from '../../store/one-time-links.ts'
import { endSessions, startSession } from '../../store/sessions.ts'
import { setPassword } from '../../store/users.ts'
import { LinkToken, NewPassword, refuseName } from '../api/people.ts'
import { problemResponses } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'
import { setSessionCookie } from '../people/cookie.ts'
import { hashPassword } from '../people/passwords.ts'
import { refuseCrossSite } from '../people/same-site.ts'

const ChosenPassword = Type.Object(
  { token: LinkToken, password: NewPassword },
  { additionalProperties: false },
)

/** Choosing a password by a link that an administrator made. */
export function passwordRoutes(app: FastifyInstance, { db, settings }: ServerContext): void {
  app.post<{ Body: Static<typeof ChosenPassword> }>(
    '/password',
    {
      schema: {
        operationId: 'choosePassword',
        summary:
          'Sets the password of the user whose link has this token, once; all sessions of the user end',
        security: [],
        body: ChosenPassword,
        response: { 204: Type.Null({ description: 'Set, and signed in' }), ...problemResponses },
      },
      onRequest: async (request) =>
        refuseCrossSite(request, { publicUrl: settings.publicUrl, cookie: false }),
    },
    async (request, reply) => {
      const { token, password } = request.body
      // before a hash is computed for whoever asks
      if (!(await isPasswordToken(db, token))) throw goneLink()
      const hash = await hashPassword(password)
      const actor = {
        kind: 'user',
        id: null,
        name: 'a password link',
        role: null,
        address: request.ip,
      } as const
      // signed in at once: whoever has the link gets in, however sign-ins are held back (store/sign-in-failures.ts)
      const session = await changeAs(db, actor, async (transaction) => {
        const user = await takePasswordToken(transaction, token)
        if (user === null) throw goneLink()
        refuseName(password, user.name)
        await setPassword(transaction, user, hash, { record: true })
        await endSessions(transaction, { userId: user.id })
        return await startSession(transaction, { ...user, address: request.ip })
      })
      setSessionCookie(request, reply, settings, session)
      return reply.code(204).send()
    },
  )
}

function goneLink(): Problem {
  return new Problem('forbidden', 'the link was used already or is too old: ask an administrator for another')
}
