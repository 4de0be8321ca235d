import { percentile } from '../figures.ts'
import { type Answer, Connection } from './connection.ts'
import type { LoadPlan, LoadResult } from './plan.ts'

/** The wait before what was lost is sent again, when nobody says how long. */
const RETRY_SECS = 1

/** Sends the requests as `plan` says, each in turn on a connection that is free; resolves when all are answered. */
export async function sendAll(requests: readonly Buffer[], plan: LoadPlan): Promise<LoadResult> {
  const { ports, rate, retry } = plan
  const free = Array.from(
    { length: plan.connections },
    (_, index) => new Connection(ports[index % ports.length] ?? 0),
  )
  const connections = [...free]
  const statuses: Record<string, number> = {}
  const latencies: number[] = []
  const done = Promise.withResolvers<void>()
  const cpu = process.cpuUsage()
  const start = performance.now()
  let next = 0

  const dueAt = (index: number): number => (rate === null ? 0 : start + (index * 1000) / rate)

  const send = (connection: Connection, request: Buffer, due: number): void => {
    connection.send(request, (answer) => {
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      if (retry && answer.status !== 200) {
        setTimeout(() => send(connection, request, due), waitMs(answer))
        return
      }
      latencies.push(performance.now() - due)
      free.push(connection)
      if (latencies.length === requests.length) done.resolve()
      else pump()
    })
  }

  const pump = (): void => {
    const now = performance.now()
    while (next < requests.length && dueAt(next) <= now) {
      const connection = free.shift()
      if (connection === undefined) return
      const request = requests[next]
      if (request === undefined) return
      send(connection, request, rate === null ? now : dueAt(next))
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

function waitMs({ retryAfterSecs }: Answer): number {
  return (retryAfterSecs ?? RETRY_SECS) * 1000
}
