import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { changeAs } from '../../store/audit.ts'
import { endSessions } from '../../store/sessions.ts'
import { hasUsers } from '../../store/users.ts'
import { actorOf } from '../api/actor.ts'
import type { ApiCaller, Authorise, FindCaller } from '../api/authorise.ts'
import { TriedPassword } from '../api/people.ts'
import { oneOf, oneOfOrNull, orNull, problemResponses, TextOrNull, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'
import type { CountSignIn } from '../metrics.ts'
import { clearSessionCookie, setSessionCookie } from '../people/cookie.ts'
import { refuseCrossSite } from '../people/same-site.ts'
import { signIn } from '../people/sign-in.ts'
import { ROLES } from '../../store/api-tokens.ts'

const SessionSchema = Type.Object({
  user: Type.Union([
    Type.Object({
      id: Type.Integer(),
      name: Type.String(),
      display_name: Type.String(),
      signs_in_by: oneOf(['password', 'oidc']),
    }),
    Type.Null(),
  ]),
  token: TextOrNull,
  role: oneOfOrNull(ROLES),
  expires_at: TimeOrNull,
  anonymous_read: Type.Boolean(),
  setup_needed: Type.Boolean({ description: 'There is no user yet' }),
  sign_in: Type.Object({
    password: Type.Boolean(),
    oidc: orNull<{ name: string }>({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    }),
  }),
})
type Session = Static<typeof SessionSchema>

const SignIn = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 128 }), password: TriedPassword },
  { additionalProperties: false },
)

/** Who one is, signing in and out. */
export function sessionRoutes(
  app: FastifyInstance,
  context: ServerContext,
  {
    authorise,
    findCaller,
    countSignIn,
  }: { authorise: Authorise; findCaller: FindCaller; countSignIn: CountSignIn },
): void {
  const { db, settings } = context

  const describe = async (caller: ApiCaller | null): Promise<Session> => ({
    user:
      caller?.session === undefined
        ? null
        : {
            id: caller.id,
            name: caller.name,
            display_name: caller.session.displayName,
            signs_in_by: caller.session.signsInBy,
          },
    token: caller?.kind === 'token' ? caller.name : null,
    role: caller?.role ?? null,
    expires_at: caller?.session?.expiresAt ?? null,
    anonymous_read: settings.anonymousRead,
    setup_needed: !(await hasUsers(db)),
    sign_in: { password: true, oidc: settings.oidc === null ? null : { name: settings.oidc.name } },
  })

  app.get(
    '/session',
    {
      schema: {
        operationId: 'getSession',
        summary: 'Who the caller is, what the caller may do, and how one signs in; answers everybody',
        security: [],
        response: { 200: SessionSchema, ...problemResponses },
      },
    },
    async (request) => await describe(await findCaller(request)),
  )

  app.post<{ Body: Static<typeof SignIn> }>(
    '/session',
    {
      schema: {
        operationId: 'signIn',
        summary: 'Signs in with a password; the session is in a cookie',
        security: [],
        body: SignIn,
        response: { 204: Type.Null({ description: 'Signed in' }), ...problemResponses },
      },
      onRequest: async (request) =>
        refuseCrossSite(request, { publicUrl: settings.publicUrl, cookie: false }),
    },
    async (request, reply) => {
      const session = await signIn(context, request, request.body, countSignIn)
      setSessionCookie(request, reply, settings, session)
      return reply.code(204).send()
    },
  )

  app.delete(
    '/session',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'signOut',
        summary: 'Ends the session of the cookie',
        response: { 204: Type.Null({ description: 'Signed out' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { caller } = request
      if (caller?.session !== undefined) {
        const { id, session } = caller
        await changeAs(db, actorOf(request), (transaction) =>
          endSessions(transaction, { userId: id, only: session.id }),
        )
      }
      clearSessionCookie(request, reply, settings)
      return reply.code(204).send()
    },
  )
}
