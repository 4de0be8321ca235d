import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Authorise, FindCaller } from '../api/authorise.ts'
import type { FleetCounts } from '../api/fleet-counts.ts'
import { installEtags } from '../api/etag.ts'
import { ProblemSchema } from '../api/schemas.ts'
import { installValidation } from '../api/validation.ts'
import type { ServerContext } from '../context.ts'
import type { CountSignIn } from '../metrics.ts'
import { activityRoutes } from './activity.ts'
import { attentionRoutes } from './attention.ts'
import { auditRoutes } from './audit.ts'
import { commitChangeRoutes } from './commit-changes.ts'
import { commitRoutes } from './commits.ts'
import { desiredCommitRoutes } from './desired-commits.ts'
import { enrollTokenRoutes } from './enroll-tokens.ts'
import { evaluationRoutes } from './evaluations.ts'
import { factHistoryRoutes } from './fact-history.ts'
import { flakeRoutes } from './flakes.ts'
import { eventRoutes } from './events.ts'
import { fleetRoutes } from './fleet.ts'
import { healthPartRoutes } from './health-parts.ts'
import { jobRoutes } from './jobs.ts'
import { keyRoutes } from './keys.ts'
import { passwordRoutes } from './passwords.ts'
import { onlinePeriodRoutes } from './online-periods.ts'
import { reportRoutes } from './reports.ts'
import { sessionRoutes } from './session.ts'
import { setUpRoutes } from './set-up.ts'
import { searchRoutes } from './search.ts'
import { systemActionRoutes } from './system-actions.ts'
import { systemSettingsRoutes } from './system-settings.ts'
import { systemRoutes } from './systems.ts'
import { timelineRoutes } from './timeline.ts'
import { tokenRoutes } from './tokens.ts'
import { trendRoutes } from './trend.ts'
import { userRoutes } from './users.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'

/** Everything below /api/v1, described at /api/v1/openapi.json. */
export async function apiRoutes(
  app: FastifyInstance,
  context: ServerContext,
  options: {
    authorise: Authorise
    findCaller: FindCaller
    countSignIn: CountSignIn
    readCounts: FleetCounts
    version: string
  },
): Promise<void> {
  installEtags(app)
  installValidation(app)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Crystal Forge',
        version: options.version,
        description: 'What the machines of a NixOS fleet run, and the evidence for it.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: '__Host-crystal_forge' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    refResolver: {
      buildLocalReference: ({ $id }, _baseUri, _fragment, index) =>
        typeof $id === 'string' ? $id : `schema-${index}`,
    },
  })
  app.addSchema(ProblemSchema)
  fleetRoutes(app, options)
  for (const routes of [
    attentionRoutes,
    activityRoutes,
    trendRoutes,
    systemRoutes,
    systemSettingsRoutes,
    systemActionRoutes,
    timelineRoutes,
    factHistoryRoutes,
    onlinePeriodRoutes,
    searchRoutes,
    reportRoutes,
    flakeRoutes,
    commitRoutes,
    commitChangeRoutes,
    desiredCommitRoutes,
    evaluationRoutes,
    keyRoutes,
    enrollTokenRoutes,
    tokenRoutes,
    userRoutes,
    jobRoutes,
    healthPartRoutes,
    webhookDeliveryRoutes,
    auditRoutes,
  ])
    routes(app, context, options.authorise)
  eventRoutes(app, context, options)
  sessionRoutes(app, context, options)
  for (const routes of [setUpRoutes, passwordRoutes]) routes(app, context)
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
