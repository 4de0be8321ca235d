import './request-state.ts'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { Problem } from '../protocol/problems.ts'
import { createAuthorise, createFindCaller } from './api/authorise.ts'
import { createFleetCounts } from './api/fleet-counts.ts'
import { brokenHttpOptions, httpServerOptions, installBrokenHttp } from './broken-http.ts'
import type { ServerContext } from './context.ts'
import type { Verify } from './ed25519.ts'
import { installAgentRequests } from './ingest/agent-requests.ts'
import { createAuthenticator } from './ingest/authenticate.ts'
import { createAuthorityCheck } from './ingest/authorities.ts'
import type { BatchLimits } from './ingest/batcher.ts'
import { createBatches } from './ingest/batches.ts'
import { createFailureLimit } from './ingest/failure-limit.ts'
import { logFloods } from './ingest/flood-log.ts'
import { createTransportCheck } from './ingest/transport.ts'
import { createVersion0 } from './ingest/version-0.ts'
import { createOidcProvider } from './oidc/provider.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { Place } from './processes/place.ts'
import { installProblemReplies } from './problem-replies.ts'
import { apiRoutes } from './routes/api.ts'
import { enrollRoute } from './routes/enroll.ts'
import { healthRoutes } from './routes/health.ts'
import { heartbeatRoute } from './routes/heartbeat.ts'
import { metricsRoute } from './routes/metrics.ts'
import { oidcRoutes } from './routes/oidc.ts'
import { stateRoute } from './routes/state.ts'
import { systemStateRoute } from './routes/version-0.ts'
import { webhookRoutes } from './routes/webhook.ts'
import { findWebPages, webPages } from './web-pages.ts'

export interface App {
  http: FastifyInstance
  metrics: Metrics
}

/** A request's head and body have to arrive within this. */
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than two heartbeat intervals, so that an agent keeps its connection: a TLS handshake costs as much as 7 requests. */
const KEEP_ALIVE_MS = 130_000

/** Builds the HTTP part with all its routes; nothing listens yet, so that tests can inject requests. */
export async function createApp(
  context: ServerContext,
  options: { verify: Verify; version: string; batches?: BatchLimits; place?: Place | null },
): Promise<App> {
  const { settings } = context
  const log: FastifyBaseLogger = context.log
  const http: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // one of its own for each request would say no more than the line of a failure does
    childLoggerFactory: (logger) => logger,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    bodyLimit: 64 * 1024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    ...brokenHttpOptions,
    ...(settings.tls === null
      ? { http: httpServerOptions }
      : { https: { ...settings.tls, ...httpServerOptions } }),
  })
  http.decorateRequest('agent', null)
  http.decorateRequest('caller', null)
  http.decorateReply('problem', null)
  installProblemReplies(http)
  refuseWhileClosing(http)
  installBrokenHttp(http)

  const readCounts = createFleetCounts(context)
  const metrics = createMetrics(context, readCounts, options.place)
  metrics.observe(http)
  const limit = createFailureLimit(context.clock)
  const findCaller = createFindCaller(context)
  const authorise = createAuthorise(findCaller, limit)
  const checkAuthority = createAuthorityCheck(settings)
  const batches = createBatches(context.db, options.batches)
  const { heartbeats, reports } = batches
  metrics.watchQueue('heartbeats', () => heartbeats.depth)
  metrics.watchQueue('reports', () => reports.depth)
  http.addHook('onClose', async () => {
    await Promise.all([heartbeats.drain(), reports.drain()])
  })

  await http.register(async (agents) => {
    const authenticator = createAuthenticator({ ...context, verify: options.verify, limit })
    const version0 = createVersion0(context, { verify: options.verify, limit, batches })
    installAgentRequests(agents, context, { authenticator, checkAuthority })
    logFloods(agents, context)
    heartbeatRoute(agents, context, { heartbeats, version0 })
    stateRoute(agents, context, { reports, version0 })
    if (settings.acceptVersion0) systemStateRoute(agents, { version0 })
  })

  // after the agents' routes, which have no cookies and pay for no hook of theirs
  await http.register(cookie)
  healthRoutes(http, context)
  if (settings.metricsListen === null) {
    // anonymous_read is for people; metrics also tell how busy the server is
    const named = { ...context, settings: { ...settings, anonymousRead: false } }
    metricsRoute(http, metrics, createAuthorise(createFindCaller(named), limit))
  }
  await http.register(async (agents) => {
    const isConfidential = createTransportCheck(settings.trustedProxies)
    enrollRoute(agents, context, { verify: options.verify, limit, isConfidential, checkAuthority })
  })
  await http.register(async (webhooks) => webhookRoutes(webhooks, context, { limit }))
  const { countSignIn } = metrics
  const { oidc } = settings
  if (oidc !== null)
    await http.register(async (pages) =>
      oidcRoutes(pages, context, { provider: createOidcProvider(oidc, context.clock), countSignIn }),
    )
  const api = { authorise, findCaller, countSignIn, readCounts, version: options.version }
  await http.register((routes) => apiRoutes(routes, context, api), {
    prefix: '/api/v1',
  })
  await http.register(webPages, { directory: findWebPages() })
  return { http, metrics }
}

/**
 * What arrives on an open connection while the server stops is sent elsewhere; what is under way is finished, and its
 * connection closed then: Node closes only those that are idle when it begins to stop.
 */
function refuseWhileClosing(http: FastifyInstance): void {
  let closing = false
  http.addHook('preClose', async () => {
    closing = true
  })
  http.addHook('onRequest', (_request, _reply, done) => {
    done(closing ? new Problem('unavailable', 'the server is stopping', { retryAfter: 1 }) : undefined)
  })
  http.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close')
    done()
  })
  http.addHook('onResponse', (_request, _reply, done) => {
    // an answer on its way when the server began to stop
    if (closing) setImmediate(() => http.server.closeIdleConnections())
    done()
  })
}
