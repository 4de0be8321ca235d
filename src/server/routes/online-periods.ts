import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listOnlinePeriods } from '../../store/fact-history.ts'
import { readMoment, MomentText } from '../api/moments.ts'
import type { Authorise } from '../api/authorise.ts'
import { problemResponses, TextOrNull, Time, TimeOrNull } from '../api/schemas.ts'
import { requireSystem } from '../api/system.ts'
import type { ServerContext } from '../context.ts'

const DEFAULT_DAYS = 30
const MAX_PERIODS = 1000

const PeriodsQuery = Type.Object(
  {
    from: MomentText(`RFC 3339; default: ${DEFAULT_DAYS} days before \`to\``),
    to: MomentText('RFC 3339; default: now'),
  },
  { additionalProperties: false },
)

const OnlinePeriods = Type.Object({
  from: Time,
  to: Time,
  periods: Type.Array(
    Type.Object({
      started_at: Time,
      ended_at: { ...TimeOrNull, description: 'null: it lasts, or its end has not been noticed' },
      boot_id: TextOrNull,
    }),
    { description: `That reach into this time, newest first, at most ${MAX_PERIODS}` },
  ),
})
export type OnlinePeriods = Static<typeof OnlinePeriods>

export function onlinePeriodRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Params: { hostname: string }; Querystring: Static<typeof PeriodsQuery> }>(
    '/systems/:hostname/online-periods',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listOnlinePeriods',
        summary: 'When a system was online',
        params: Type.Object({ hostname: Type.String() }),
        querystring: PeriodsQuery,
        response: { 200: OnlinePeriods, ...problemResponses },
      },
    },
    async ({ params, query }) => {
      const to = readMoment('to', query.to) ?? new Date(context.clock())
      const from = readMoment('from', query.from) ?? new Date(to.getTime() - DEFAULT_DAYS * 86_400_000)
      const { id } = await requireSystem(context, params.hostname)
      const periods = await listOnlinePeriods(context.db, id, { from, to, limit: MAX_PERIODS })
      return { from, to, periods }
    },
  )
}
