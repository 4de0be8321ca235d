import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { DRIFT_STATES } from '../../fleet/drift.ts'
import { LIVENESS } from '../../fleet/liveness.ts'
import { readTrend, TREND_PERIODS, type TrendPeriod } from '../../store/fleet-history.ts'
import type { Authorise } from '../api/authorise.ts'
import { IntegerOrNull, problemResponses, Time } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const PERIODS: readonly string[] = Object.keys(TREND_PERIODS)
const DEFAULT_PERIOD = '7d'

const TrendQuery = Type.Object(
  {
    period: Type.Optional(
      Type.Unsafe<TrendPeriod>({ type: 'string', enum: PERIODS, default: DEFAULT_PERIOD }),
    ),
  },
  { additionalProperties: false },
)

const Series = Type.Array(IntegerOrNull)
const seriesOf = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Record<Name, (number | null)[]>>(
    Type.Object(Object.fromEntries(names.map((name) => [name, Series]))),
  )

const Trend = Type.Object({
  step_secs: Type.Integer({ description: 'Between two times' }),
  times: Type.Array(Time, { description: 'Oldest first, at most 300' }),
  systems: {
    ...Series,
    description: 'At each time, by the last count within step_secs from it; null: nobody counted',
  },
  liveness: seriesOf(LIVENESS),
  standing: seriesOf(DRIFT_STATES),
})
export type Trend = Static<typeof Trend>

export function trendRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof TrendQuery> }>(
    '/fleet/trend',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getFleetTrend',
        summary: 'How many systems there were of each liveness and standing over time',
        querystring: TrendQuery,
        response: { 200: Trend, ...problemResponses },
      },
    },
    async ({ query: { period = DEFAULT_PERIOD } }) => {
      const points = await readTrend(context.db, period)
      const series = (of: 'liveness' | 'standing', names: readonly string[]) =>
        Object.fromEntries(
          names.map((name) => [name, points.map(({ counts }) => countOf(counts?.[of], name))]),
        )
      return {
        step_secs: TREND_PERIODS[period].stepMinutes * 60,
        times: points.map(({ at }) => at),
        systems: points.map(({ counts }) => counts?.systems ?? null),
        liveness: series('liveness', LIVENESS),
        standing: series('standing', DRIFT_STATES),
      }
    },
  )
}

/** Null where nobody counted, or not by this name: an older version did not know it. */
function countOf(counts: Readonly<Record<string, number>> | undefined, name: string): number | null {
  return counts?.[name] ?? null
}
