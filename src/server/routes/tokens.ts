import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { createApiToken, listApiTokens, revokeApiToken } from '../../store/api-tokens.ts'
import { changeAs } from '../../store/audit.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { RoleName } from '../api/people.ts'
import { idOf, problemResponses, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const ApiToken = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  role: RoleName,
  created_at: Time,
  expires_at: TimeOrNull,
  last_used_at: TimeOrNull,
})
export type ApiToken = Static<typeof ApiToken>

const NewApiToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256 }),
    role: RoleName,
    expires_in_secs: Type.Optional(Type.Integer({ minimum: 60, maximum: 10 * 366 * 86_400 })),
  },
  { additionalProperties: false },
)
export type NewApiToken = Static<typeof NewApiToken>

export function tokenRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const onRequest = authorise('admin')

  app.get(
    '/tokens',
    {
      onRequest,
      schema: {
        operationId: 'listTokens',
        summary: 'API tokens that are not revoked; never their text',
        response: { 200: Type.Object({ tokens: Type.Array(ApiToken) }), ...problemResponses },
      },
    },
    async () => ({ tokens: await listApiTokens(context.db) }),
  )

  app.post<{ Body: NewApiToken }>(
    '/tokens',
    {
      onRequest,
      schema: {
        operationId: 'createToken',
        summary: 'Makes an API token; its text is shown this once',
        body: NewApiToken,
        response: { 201: Type.Object({ id: Type.Integer(), token: Type.String() }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { name, role, expires_in_secs: expiresIn } = request.body
      const expiresAt = expiresIn === undefined ? null : new Date(context.clock() + expiresIn * 1000)
      const created = await changeAs(context.db, actorOf(request), (transaction) =>
        createApiToken(transaction, { name, role, expiresAt }),
      )
      return reply.code(201).send(created)
    },
  )

  app.delete<{ Params: { id: number } }>(
    '/tokens/:id',
    {
      onRequest,
      schema: {
        operationId: 'revokeToken',
        summary: 'Revokes an API token at once',
        params: Type.Object({ id: idOf('Of the token') }),
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const revoked = await changeAs(context.db, actorOf(request), (transaction) =>
        revokeApiToken(transaction, id),
      )
      if (!revoked) throw new Problem('not-found', `there is no token ${id}`)
      return reply.code(204).send()
    },
  )
}
