import type { FastifyInstance } from 'fastify'
import type { Authorise } from '../api/authorise.ts'
import type { Metrics } from '../metrics.ts'

/** `/metrics` for Prometheus, with a token; without one it has a listener of its own (metrics-listener.ts). */
export function metricsRoute(app: FastifyInstance, metrics: Metrics, authorise: Authorise): void {
  app.get('/metrics', { onRequest: authorise('viewer') }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.read()),
  )
}
