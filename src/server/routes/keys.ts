import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { KEY_STATUSES, listKeys } from '../../store/keys.ts'
import type { Authorise } from '../api/authorise.ts'
import { problemResponses, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

export const KeyList = Type.Object({
  keys: Type.Array(
    Type.Object({
      id: Type.String(),
      hostname: Type.String(),
      status: Type.Unsafe<string>({ type: 'string', enum: KEY_STATUSES }),
      declared: Type.Boolean(),
      created_at: Time,
      revoked_at: TimeOrNull,
    }),
  ),
})

export function keyRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: { status?: (typeof KEY_STATUSES)[number] } }>(
    '/keys',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listKeys',
        summary: 'The keys of all systems, or those of one status',
        querystring: Type.Object({
          status: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: KEY_STATUSES })),
        }),
        response: { 200: KeyList, ...problemResponses },
      },
    },
    async ({ query }) => ({ keys: await listKeys(context.db, query) }),
  )
}
