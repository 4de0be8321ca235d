import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { KEY_STATUSES, type KeyStatus, listKeys } from '../../store/keys.ts'
import type { Authorise } from '../api/authorise.ts'
import { problemResponses, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Status = Type.Unsafe<KeyStatus>({ type: 'string', enum: KEY_STATUSES })

const Key = Type.Object({
  id: Type.String(),
  hostname: Type.String(),
  status: Status,
  declared: Type.Boolean(),
  created_at: Time,
  revoked_at: TimeOrNull,
})
export type Key = Static<typeof Key>
export const KeyList = Type.Object({ keys: Type.Array(Key) })

const KeyQuery = Type.Object({ status: Type.Optional(Status) }, { additionalProperties: false })

export function keyRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof KeyQuery> }>(
    '/keys',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listKeys',
        summary: 'The keys of all systems, or those of one status',
        querystring: KeyQuery,
        response: { 200: KeyList, ...problemResponses },
      },
    },
    async ({ query }) => ({ keys: await listKeys(context.db, query) }),
  )
}
