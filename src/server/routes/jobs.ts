import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listJobRuns } from '../../store/job-runs.ts'
import type { Authorise } from '../api/authorise.ts'
import { isOverdue } from '../api/health-parts.ts'
import { problemResponses, TextOrNull, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Job = Type.Object({
  name: Type.String(),
  next_at: { ...TimeOrNull, description: 'null: what runs it does not run' },
  overdue: Type.Boolean({ description: 'Nothing has begun it long after it was due' }),
  started_at: TimeOrNull,
  finished_at: TimeOrNull,
  failed_at: TimeOrNull,
  error: TextOrNull,
})
export type Job = Static<typeof Job>

export function jobRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get(
    '/jobs',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listJobs',
        summary: 'The recurring jobs, when each last ran (null is never) and when it runs next',
        response: { 200: Type.Object({ jobs: Type.Array(Job) }), ...problemResponses },
      },
    },
    async () => {
      const jobs = await listJobRuns(context.db)
      return { jobs: jobs.map((job) => ({ ...job, overdue: isOverdue(job, context.clock()) })) }
    },
  )
}
