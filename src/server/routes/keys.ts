import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { KEY_STATUSES, listKeyPage } from '../../store/keys.ts'
import type { Authorise } from '../api/authorise.ts'
import { cutPage, oneOf, problemResponses, TextOrNull, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Status = oneOf(KEY_STATUSES)

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

const KeyQuery = Type.Object(
  {
    status: Type.Optional(Status),
    text: Type.Optional(
      Type.String({ minLength: 1, maxLength: 253, description: 'Part of the host name, in any case' }),
    ),
    after: Type.Optional(Type.String({ maxLength: 64, description: '`next` of the page before' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Without it all come at once' }),
    ),
  },
  { additionalProperties: false },
)

export function keyRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof KeyQuery> }>(
    '/keys',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listKeys',
        summary: 'The keys of all systems, or those of one status, the newest first',
        querystring: KeyQuery,
        response: {
          200: Type.Object({ keys: Type.Array(Key), next: TextOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ query: { limit, ...filter } }) => {
      const asked = limit === undefined ? null : limit + 1
      const rows = await listKeyPage(context.db, { ...filter, limit: asked })
      const { page, next } = cutPage(rows, limit ?? rows.length, ({ id }) => id)
      return { keys: page, next }
    },
  )
}
