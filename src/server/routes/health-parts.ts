import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { readHealth } from '../../store/health.ts'
import { INSTANCE_KINDS } from '../../store/instances.ts'
import type { Authorise } from '../api/authorise.ts'
import { HEALTH_STATUSES, type HealthPart, judgeHealth } from '../api/health-parts.ts'
import { oneOf, problemResponses, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Status = oneOf(HEALTH_STATUSES)

const Health = Type.Object({
  status: { ...Status, description: 'The worst of the parts; unknown does not count' },
  parts: Type.Array(
    Type.Object({
      name: oneOf([
        'database',
        'servers',
        'evaluators',
        'jobs',
        'queues',
        'webhooks',
      ] as const satisfies HealthPart['name'][]),
      status: Status,
      text: Type.String(),
      since: TimeOrNull,
    }),
  ),
  instances: Type.Array(
    Type.Object({
      kind: oneOf(INSTANCE_KINDS),
      host: Type.String(),
      version: Type.String(),
      started_at: Time,
      seen_at: Time,
      present: Type.Boolean({ description: 'Seen within 90 s' }),
    }),
    { description: 'Servers and evaluators seen within a day' },
  ),
})
export type Health = Static<typeof Health>

export function healthPartRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get(
    '/health/parts',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getHealth',
        summary: 'How the parts of Crystal Forge itself are: database, processes, jobs, queues and webhooks',
        response: { 200: Health, ...problemResponses },
      },
    },
    async () => {
      const facts = await readHealth(context.db)
      const parts = judgeHealth(facts)
      const known = parts.filter(({ status }) => status !== 'unknown')
      const worst = Math.max(...known.map(({ status }) => HEALTH_STATUSES.indexOf(status)))
      return { status: HEALTH_STATUSES[worst] ?? 'unknown', parts, instances: facts.instances }
    },
  )
}
