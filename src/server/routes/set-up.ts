import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import { isSetUpToken, takeSetUpToken } from '../../store/one-time-links.ts'
import { startSession } from '../../store/sessions.ts'
import { addUser, hasUsers } from '../../store/users.ts'
import { LinkToken, NewPassword, orConflict, refuseName, UserName } from '../api/people.ts'
import { problemResponses } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'
import { setSessionCookie } from '../people/cookie.ts'
import { hashPassword } from '../people/passwords.ts'
import { refuseCrossSite } from '../people/same-site.ts'

const SetUp = Type.Object(
  { token: LinkToken, name: UserName, password: NewPassword },
  { additionalProperties: false },
)

/** The first administrator, by the link that the server makes when there is no user. */
export function setUpRoutes(app: FastifyInstance, { db, settings }: ServerContext): void {
  app.post<{ Body: Static<typeof SetUp> }>(
    '/setup',
    {
      schema: {
        operationId: 'setUp',
        summary: 'Makes the first administrator, with the token of the set-up link, and signs in',
        security: [],
        body: SetUp,
        response: { 204: Type.Null({ description: 'Made, and signed in' }), ...problemResponses },
      },
      onRequest: async (request) =>
        refuseCrossSite(request, { publicUrl: settings.publicUrl, cookie: false }),
    },
    async (request, reply) => {
      const { token, name, password } = request.body
      refuseName(password, name)
      // before a hash is computed for whoever asks
      if (await hasUsers(db)) throw tooLate()
      if (!(await isSetUpToken(db, token))) throw goneLink()
      const hash = await hashPassword(password)
      const actor = { kind: 'user', id: null, name, role: 'admin', address: request.ip } as const
      const session = await orConflict(() =>
        changeAs(db, actor, async (transaction) => {
          if (!(await takeSetUpToken(transaction, token))) throw goneLink()
          if (await hasUsers(transaction)) throw tooLate()
          const user = await addUser(transaction, { name, displayName: '', role: 'admin', password: hash })
          return await startSession(transaction, { id: user.id, name, address: request.ip })
        }),
      )
      setSessionCookie(request, reply, settings, session)
      return reply.code(204).send()
    },
  )
}

/** The first user may have come by an API token or from the OpenID provider, and be no administrator. */
function tooLate(): Problem {
  return new Problem('conflict', 'there are users already: sign in, or let an administrator add you')
}

function goneLink(): Problem {
  return new Problem(
    'forbidden',
    'the set-up link does not work any more: the newest one is in the file setup-link of the state directory; crystal-forge users setup-link makes another',
  )
}
