import type { HealthFacts } from '../../store/health.ts'
import type { Instance, InstanceKind } from '../../store/instances.ts'

/** The better first. `unknown`: nothing tells. */
export const HEALTH_STATUSES = ['ok', 'unknown', 'degraded', 'down'] as const
export type HealthStatus = (typeof HEALTH_STATUSES)[number]

export interface HealthPart {
  name: 'database' | 'servers' | 'evaluators' | 'jobs' | 'queues' | 'webhooks'
  status: HealthStatus
  /** What is so, in a sentence. */
  text: string
  /** Since when it is so, where that is known. */
  since: Date | null
}

/** A read that is answered slower makes every page slow. */
const SLOW_MS = 250
/** Recurring jobs are looked for every minute, and may have to wait for another. */
const OVERDUE_MS = 10 * 60_000
/** A push of a large fleet is evaluated in less. */
const WAITS_LONG_MS = 60 * 60_000

/** How each of our own parts is. */
export function judgeHealth(facts: HealthFacts): HealthPart[] {
  return [
    judgeDatabase(facts),
    judgeServers(facts),
    judgeEvaluators(facts),
    judgeJobs(facts),
    judgeQueues(facts),
    judgeWebhooks(facts),
  ]
}

function judgeDatabase({ database }: HealthFacts): HealthPart {
  const { latencyMs, version, sizeBytes, since } = database
  const size = `${(sizeBytes / 2 ** 20).toFixed(0)} MiB`
  const text = `PostgreSQL ${version}, ${size}, answers in ${latencyMs.toFixed(1)} ms`
  return { name: 'database', status: latencyMs < SLOW_MS ? 'ok' : 'degraded', text, since }
}

function judgeServers({ instances }: HealthFacts): HealthPart {
  const name = 'servers'
  const { there, gone } = ofKind(instances, 'server')
  if (there.length === 0)
    return { name, status: 'unknown', text: 'no server has said that it is there', since: null }
  const versions = [...new Set(there.map(({ version }) => version))].toSorted()
  if (versions.length > 1)
    return {
      name,
      status: 'degraded',
      text: `servers of several versions: ${versions.join(', ')}`,
      since: null,
    }
  if (gone.length > 0) return lost(name, 'server', there.length, gone)
  return {
    name,
    status: 'ok',
    text: `${count(there.length, 'server')} of ${versions[0]}`,
    since: startOf(there),
  }
}

function judgeEvaluators({ instances, flakes }: HealthFacts): HealthPart {
  const name = 'evaluators'
  const { there, gone } = ofKind(instances, 'evaluator')
  if (there.length === 0 && flakes === 0)
    return { name, status: 'ok', text: 'none, and none is needed: no flake is followed', since: null }
  if (there.length === 0) {
    const text = `none is there: ${count(flakes, 'flake')} will not be followed until one runs (crystal-forge evaluator)`
    return { name, status: 'down', text, since: gone[0]?.seen_at ?? null }
  }
  if (gone.length > 0) return lost(name, 'evaluator', there.length, gone)
  return { name, status: 'ok', text: count(there.length, 'evaluator'), since: startOf(there) }
}

/** One that stops says so; one that does not was killed, or cannot reach the database. */
function lost(name: HealthPart['name'], what: string, there: number, gone: readonly Instance[]): HealthPart {
  const hosts = [...new Set(gone.map(({ host }) => host))].join(', ')
  const text = `${count(there, what)}; not heard of any more: ${count(gone.length, what)} on ${hosts}`
  return { name, status: 'degraded', text, since: gone[0]?.seen_at ?? null }
}

function judgeJobs({ jobs, now }: HealthFacts): HealthPart {
  const name = 'jobs'
  const overdue = jobs.filter((job) => isOverdue(job, now.getTime()))
  const failed = jobs.filter(
    ({ failed_at: at, finished_at: done }) => at !== null && (done === null || at > done),
  )
  if (overdue.length > 0)
    return {
      name,
      status: 'down',
      text: `overdue: ${namesOf(overdue)}`,
      since: earliest(overdue.map((job) => job.next_at)),
    }
  if (failed.length > 0)
    return {
      name,
      status: 'degraded',
      text: `failed: ${namesOf(failed)}`,
      since: earliest(failed.map((job) => job.failed_at)),
    }
  if (jobs.length === 0) return { name, status: 'unknown', text: 'no job has been registered', since: null }
  return { name, status: 'ok', text: `${count(jobs.length, 'recurring job')}, none overdue`, since: null }
}

/** Whether nothing has begun a recurring job long after it was due. `now` in milliseconds since the epoch. */
export function isOverdue({ next_at: due }: { next_at: Date | null }, now: number): boolean {
  return due !== null && now - due.getTime() > OVERDUE_MS
}

function judgeQueues({ queues, now }: HealthFacts): HealthPart {
  const name = 'queues'
  const long = queues.filter(
    ({ oldest }) => oldest !== null && now.getTime() - oldest.getTime() > WAITS_LONG_MS,
  )
  const text = queues.map(({ queue, waiting }) => `${waiting} in ${queue}`).join(', ')
  if (long.length > 0)
    return {
      name,
      status: 'degraded',
      text: `jobs wait for long: ${text}`,
      since: earliest(long.map((queue) => queue.oldest)),
    }
  return { name, status: 'ok', text: text === '' ? 'no job waits' : text, since: null }
}

function judgeWebhooks({ webhooks, flakes }: HealthFacts): HealthPart {
  const name = 'webhooks'
  const { last, accepted, unknown, unknownSince } = webhooks
  if (unknown > 0) {
    const text = `${count(unknown, 'signed webhook')} of the last day named a repository that no flake follows`
    return { name, status: 'degraded', text, since: unknownSince }
  }
  if (last === null && flakes > 0)
    return { name, status: 'unknown', text: 'none arrived within a day: branches are polled', since: null }
  return { name, status: 'ok', text: `${accepted} accepted within a day`, since: null }
}

/** One that was killed is not missed where another was begun on its host since. */
function ofKind(instances: readonly Instance[], kind: InstanceKind) {
  const all = instances.filter((instance) => instance.kind === kind)
  const there = all.filter(({ present }) => present)
  const isReplaced = ({ host, seen_at: seen }: Instance) =>
    there.some((other) => other.host === host && other.started_at > seen)
  return { there, gone: all.filter((instance) => !instance.present && !isReplaced(instance)) }
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const namesOf = (jobs: readonly { name: string }[]): string => jobs.map(({ name }) => name).join(', ')
const startOf = (instances: readonly Instance[]) => earliest(instances.map(({ started_at: at }) => at))

function earliest(times: readonly (Date | null)[]): Date | null {
  const known = times.filter((time) => time !== null).map((time) => time.getTime())
  return known.length === 0 ? null : new Date(Math.min(...known))
}
