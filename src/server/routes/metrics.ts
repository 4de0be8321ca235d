import type { FastifyInstance } from 'fastify'
import type { Authorise } from '../api/authorise.ts'
import type { Metrics } from '../metrics.ts'

/** `/metrics` for Prometheus; `authorise` is null on a listener of its own. */
export function metricsRoute(app: FastifyInstance, metrics: Metrics, authorise: Authorise | null): void {
  app.get('/metrics', authorise === null ? {} : { onRequest: authorise('viewer') }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}
