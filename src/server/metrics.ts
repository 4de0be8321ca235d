import type { FastifyInstance, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { readHealth } from '../store/health.ts'
import { isUnavailable } from '../store/errors.ts'
import { countNewestEvaluations } from '../store/evaluation-counts.ts'
import { EVALUATE_COMMIT, SYNC_FLAKE } from '../store/job-queue.ts'
import { type JobRunRow, listJobRuns } from '../store/job-runs.ts'
import { readQueueDepths } from '../store/queue-depths.ts'
import type { FleetCounts } from './api/fleet-counts.ts'
import { HEALTH_STATUSES, judgeHealth } from './api/health-parts.ts'
import type { ServerContext } from './context.ts'
import { mergeMetrics } from './metrics-text.ts'
import type { Place } from './processes/place.ts'

/** What the figures are read from. */
type MetricsContext = Omit<ServerContext, 'jobs'>

/** `failed`: the credentials were not right; `refused`: they were not looked at, or do not let this person in. */
export const SIGN_IN_RESULTS = ['succeeded', 'failed', 'refused'] as const
export type CountSignIn = (result: (typeof SIGN_IN_RESULTS)[number]) => void

export interface Metrics {
  /** All of them, in Prometheus' format: of the database, of this process, and of the others of the same server. */
  read: () => Promise<string>
  contentType: string
  /** Counts and times every request that reaches a route of `app`. */
  observe: (app: FastifyInstance) => void
  /** Counts a sign-in, by password or with a provider. */
  countSignIn: CountSignIn
  /** A queue whose length is read when metrics are. */
  watchQueue: (name: string, depth: () => number) => void
}

/** From a fast heartbeat (1 ms) to a client that is about to give up. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** `place`: of this process among those of one server, which its own metrics are labelled with then. */
export function createMetrics(
  context: MetricsContext,
  readCounts: FleetCounts,
  place: Pick<Place, 'number' | 'shareMetrics' | 'readOthers'> | null = null,
): Metrics {
  const registry = new Registry()
  if (place !== null) registry.setDefaultLabels({ process: String(place.number) })
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'crystal_forge_http_requests_total',
    help: 'Requests by route, method and result: ok, or the name of the problem that was answered',
    labelNames: ['route', 'method', 'result'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'crystal_forge_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer',
    labelNames: ['route', 'method'],
    buckets: SECONDS,
    registers: [registry],
  })
  const signIns = new Counter({
    name: 'crystal_forge_sign_ins_total',
    help: 'Sign-ins of people: succeeded, failed (wrong), or refused (too many before, disabled, or in no group)',
    labelNames: ['result'],
    registers: [registry],
  })
  for (const result of SIGN_IN_RESULTS) signIns.inc({ result }, 0)
  const queues = new Map<string, () => number>()
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    ...QUEUE_DEPTH,
    registers: [registry],
    collect() {
      for (const [queue, depth] of queues) this.set({ queue }, depth())
    },
  })
  place?.shareMetrics(() => registry.metrics())
  // what is read from the database is the same for all processes
  const shared = new Registry()
  addJobQueueGauge(shared, context)
  addFleetGauges(shared, context, readCounts)
  addEvaluationGauge(shared, context)
  addJobGauges(shared, context)
  addPartGauge(shared, context)

  return {
    contentType: registry.contentType,
    async read() {
      const others = place === null ? [] : place.readOthers()
      const own = await Promise.all([registry.metrics(), shared.metrics()])
      return mergeMetrics([...own, ...(await others)])
    },
    observe(app) {
      app.addHook('onResponse', (request, reply, done) => {
        const labels = labelsOf(request)
        requests.inc({ ...labels, result: reply.problem ?? 'ok' })
        durations.observe(labels, reply.elapsedTime / 1000)
        done()
      })
    },
    countSignIn: (result) => signIns.inc({ result }),
    watchQueue: (name, depth) => queues.set(name, depth),
  }
}

const QUEUE_DEPTH = {
  name: 'crystal_forge_queue_depth',
  help: 'Heartbeats and reports that wait for a batch, and jobs that wait for an evaluator or a server',
  labelNames: ['queue'],
} as const

function addJobQueueGauge(registry: Registry, context: MetricsContext): void {
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    ...QUEUE_DEPTH,
    registers: [registry],
    async collect() {
      this.reset()
      for (const queue of [SYNC_FLAKE, EVALUATE_COMMIT]) this.set({ queue }, 0)
      const jobs = (await unlessAway(context, () => readQueueDepths(context.db))) ?? []
      for (const { queue, waiting } of jobs) this.set({ queue }, waiting)
    },
  })
}

function addFleetGauges(registry: Registry, context: MetricsContext, readCounts: FleetCounts): void {
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    name: 'crystal_forge_systems',
    help: 'Systems that are not archived, by liveness, by drift (against the newest good commit) or by flag',
    labelNames: ['liveness', 'drift', 'flag'],
    registers: [registry],
    async collect() {
      this.reset()
      const summary = await unlessAway(context, readCounts)
      if (summary === null) return
      const { liveness, standing, flags } = summary
      for (const [name, count] of Object.entries(liveness)) this.set({ liveness: name }, count)
      for (const [name, count] of Object.entries(standing)) this.set({ drift: name }, count)
      for (const [name, count] of Object.entries(flags)) this.set({ flag: name }, count)
    },
  })
}

function addEvaluationGauge(registry: Registry, context: MetricsContext): void {
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    name: 'crystal_forge_evaluations',
    help: 'Configurations at the newest commits of all flakes by result: succeeded, pending, or the cause of the failure',
    labelNames: ['result'],
    registers: [registry],
    async collect() {
      this.reset()
      this.set({ result: 'succeeded' }, 0)
      const counts = (await unlessAway(context, () => countNewestEvaluations(context.db))) ?? []
      for (const { result, count } of counts) this.set({ result }, count)
    },
  })
}

function addJobGauges(registry: Registry, context: MetricsContext): void {
  // both gauges are collected at once: from one look
  let reading: Promise<JobRunRow[] | null> | null = null
  const look = async () => {
    try {
      return await unlessAway(context, () => listJobRuns(context.db))
    } finally {
      reading = null
    }
  }
  const readRuns = async () => (await (reading ??= look())) ?? []
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    name: 'crystal_forge_job_next_run_timestamp_seconds',
    help: 'When each recurring job is due; one that has nothing to do is left out',
    labelNames: ['job'],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, next_at } of await readRuns())
        if (next_at !== null) this.set({ job: name }, next_at.getTime() / 1000)
    },
  })
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    name: 'crystal_forge_job_last_success_timestamp_seconds',
    help: 'When each recurring job last succeeded; 0 is never',
    labelNames: ['job'],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, finished_at } of await readRuns())
        this.set({ job: name }, (finished_at?.getTime() ?? 0) / 1000)
    },
  })
}

function addPartGauge(registry: Registry, context: MetricsContext): void {
  // oxlint-disable-next-line no-new -- a gauge registers itself
  new Gauge({
    name: 'crystal_forge_part_status',
    help: '1 for the status that a part of Crystal Forge itself has, 0 for those it has not: ok, unknown, degraded, down',
    labelNames: ['part', 'status'],
    registers: [registry],
    async collect() {
      this.reset()
      const facts = await unlessAway(context, () => readHealth(context.db))
      if (facts === null) return
      for (const part of judgeHealth(facts))
        for (const status of HEALTH_STATUSES)
          this.set({ part: part.name, status }, part.status === status ? 1 : 0)
    },
  })
}

/** Null when the database cannot be reached: that is when the other metrics are wanted most. */
async function unlessAway<T>({ log }: MetricsContext, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (err) {
    if (!isUnavailable(err)) throw err
    log.warn({ err }, 'metrics of the database are left out')
    return null
  }
}

function labelsOf(request: FastifyRequest) {
  // only known routes: a scanner's paths would make a series each
  return { route: request.routeOptions.url ?? 'unknown', method: request.method }
}
