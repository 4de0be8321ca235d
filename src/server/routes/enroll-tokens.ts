import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { HOSTNAME_PATTERN } from '../../protocol/hostname.ts'
import { Problem } from '../../protocol/problems.ts'
import { changeAs } from '../../store/audit.ts'
import { createEnrollToken, listEnrollTokens, revokeEnrollToken } from '../../store/enroll-tokens.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { checkFlakeUrl } from '../api/flake-url.ts'
import { idOf, problemResponses, TextOrNull, Time } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const EnrollToken = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  uses_left: Type.Integer(),
  expires_at: Time,
  environment: TextOrNull,
  flake_url: TextOrNull,
  hostname: TextOrNull,
  needs_approval: Type.Boolean(),
  created_at: Time,
})
export type EnrollToken = Static<typeof EnrollToken>

const DEFAULTS = { uses: 1, expires_in_secs: 86_400, needs_approval: false }

const NewEnrollToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256 }),
    uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, default: DEFAULTS.uses })),
    expires_in_secs: Type.Optional(
      Type.Integer({ minimum: 60, maximum: 366 * 86_400, default: DEFAULTS.expires_in_secs }),
    ),
    environment: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    flake_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
    hostname: Type.Optional(Type.String({ pattern: HOSTNAME_PATTERN })),
    needs_approval: Type.Optional(Type.Boolean({ default: DEFAULTS.needs_approval })),
  },
  { additionalProperties: false },
)
export type NewEnrollToken = Static<typeof NewEnrollToken>

export function enrollTokenRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get(
    '/enroll-tokens',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'listEnrollTokens',
        summary: 'Enrolment tokens that are not revoked; never their text',
        response: { 200: Type.Object({ enroll_tokens: Type.Array(EnrollToken) }), ...problemResponses },
      },
    },
    async () => ({ enroll_tokens: await listEnrollTokens(context.db) }),
  )

  app.post<{ Body: NewEnrollToken }>(
    '/enroll-tokens',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'createEnrollToken',
        summary: 'Makes an enrolment token; its text is shown this once',
        body: NewEnrollToken,
        response: { 201: Type.Object({ id: Type.Integer(), token: Type.String() }), ...problemResponses },
      },
    },
    async (request, reply) => {
      checkFlakeUrl(request.body.flake_url, '/body/flake_url', request.caller)
      const settings = { ...DEFAULTS, ...request.body }
      const created = await changeAs(context.db, actorOf(request), (transaction) =>
        createEnrollToken(transaction, {
          name: settings.name,
          uses: settings.uses,
          expiresAt: new Date(context.clock() + settings.expires_in_secs * 1000),
          environment: settings.environment ?? null,
          flakeUrl: settings.flake_url ?? null,
          hostname: settings.hostname ?? null,
          needsApproval: settings.needs_approval,
        }),
      )
      return reply.code(201).send(created)
    },
  )

  app.delete<{ Params: { id: number } }>(
    '/enroll-tokens/:id',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'revokeEnrollToken',
        summary: 'Makes an enrolment token worthless; what enrolled with it stays',
        params: Type.Object({ id: idOf('Of the token') }),
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const revoked = await changeAs(context.db, actorOf(request), (transaction) =>
        revokeEnrollToken(transaction, id),
      )
      if (!revoked) throw new Problem('not-found', `there is no enrolment token ${id}`)
      return reply.code(204).send()
    },
  )
}
