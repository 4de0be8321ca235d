import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listDeliveries } from '../../store/webhook-deliveries.ts'
import type { Authorise } from '../api/authorise.ts'
import { cutPage, DEFAULT_PAGE_SIZE, PageSize, problemResponses, TextOrNull, Time } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Delivery = Type.Object({
  id: Type.Integer(),
  provider: Type.String(),
  delivery: TextOrNull,
  received_at: Time,
  event: Type.String(),
  repository: TextOrNull,
  ref: TextOrNull,
  after: TextOrNull,
  outcome: Type.String({ description: 'accepted: its flakes are asked for their heads; or ignored' }),
  reason: Type.Unsafe<string | null>({
    ...TextOrNull,
    description: 'why it was ignored: not_a_push, tag, deleted, other_branch or unknown_repository',
  }),
  flake_ids: Type.Array(Type.Integer()),
})

const DeliveryQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: '`next` of the page before' }),
    ),
    limit: PageSize,
  },
  { additionalProperties: false },
)

export function webhookDeliveryRoutes(
  app: FastifyInstance,
  context: ServerContext,
  authorise: Authorise,
): void {
  app.get<{ Querystring: Static<typeof DeliveryQuery> }>(
    '/webhook-deliveries',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'The signed webhooks of the last 90 days and what came of each, newest first',
        querystring: DeliveryQuery,
        response: {
          200: Type.Object({ deliveries: Type.Array(Delivery), next: TextOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ query: { after, limit = DEFAULT_PAGE_SIZE } }) => {
      const start = after === undefined ? null : Number(after)
      const rows = await listDeliveries(context.db, { after: start, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, ({ id }) => String(id))
      return { deliveries: page, next }
    },
  )
}
