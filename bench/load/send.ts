import { createPace, type Pace } from '../../src/agent/pace.ts'
import { percentile } from '../figures.ts'
import { type Answer, Connection } from './connection.ts'
import type { LoadPlan, LoadResult } from './plan.ts'

/** The wait before what was lost is sent again, when nobody says how long. */
const RETRY_SECS = 1
/** Of an agent that was told nothing else. */
const HEARTBEAT_INTERVAL_MS = 60_000
/** After so many tries in vain an agent waits up to its interval, which is the longest. */
const EARLIER_FAILURES = 10

/** Sends the requests as `plan` says, each in turn on a connection that is free; resolves when all are answered. */
export async function sendAll(requestAt: (index: number) => Buffer, plan: LoadPlan): Promise<LoadResult> {
  const { rate, retry } = plan
  const free = Array.from({ length: plan.connections }, () => new Connection(plan.port))
  const connections = [...free]
  const statuses: Record<string, number> = {}
  const latencies: number[] = []
  const done = Promise.withResolvers<void>()
  const cpu = process.cpuUsage()
  const start = performance.now()
  let next = 0

  const paces = new Map<Connection, Pace>()
  const paceOf = (connection: Connection): Pace => {
    const pace = paces.get(connection) ?? createTriedPace()
    paces.set(connection, pace)
    return pace
  }
  const dueAt = (index: number): number => (rate === null ? 0 : start + (index * 1000) / rate)

  const send = (connection: Connection, request: Buffer, due: number): void => {
    connection.send(request, (answer) => {
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      if (retry !== null && answer.status !== 200) {
        const waitMs = retry === 'soon' ? soonMs(answer) : agentMs(paceOf(connection), answer)
        setTimeout(() => send(connection, request, due), waitMs)
        return
      }
      latencies.push(performance.now() - due)
      free.push(connection)
      if (latencies.length === plan.requests) done.resolve()
      else pump()
    })
  }

  const pump = (): void => {
    const now = performance.now()
    while (next < plan.requests && dueAt(next) <= now) {
      const connection = free.shift()
      if (connection === undefined) return
      const request = requestAt(next)
      const due = rate === null ? now : dueAt(next)
      if (retry === 'as-agents')
        setTimeout(() => send(connection, request, due), agentMs(paceOf(connection), NO_ANSWER))
      else send(connection, request, due)
      next += 1
    }
  }

  const timer = rate === null ? undefined : setInterval(pump, 1)
  pump()
  await done.promise
  clearInterval(timer)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  for (const connection of connections) connection.close()
  return {
    statuses,
    seconds,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    max: percentile(latencies, 100),
    cpuSeconds: (user + system) / 1_000_000,
  }
}

const soonMs = ({ retryAfterSecs }: Answer): number => (retryAfterSecs ?? RETRY_SECS) * 1000

const NO_ANSWER: Answer = { status: 0, retryAfterSecs: null }

const agentMs = (pace: Pace, { retryAfterSecs }: Answer): number =>
  pace.afterFailure('unavailable', (retryAfterSecs ?? 0) * 1000)

/** The agent's own, after a long outage. */
function createTriedPace(): Pace {
  const pace = createPace({ intervalMs: () => HEARTBEAT_INTERVAL_MS, random: Math.random })
  for (let failure = 0; failure < EARLIER_FAILURES; failure += 1) agentMs(pace, NO_ANSWER)
  return pace
}
