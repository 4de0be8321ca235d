import { cpuSecondsWithChildren } from '../process-figures.ts'
import type { Generator } from './generator.ts'
import type { LoadPlan, LoadResult } from './plan.ts'
import type { BenchServer } from './server.ts'

/** What a load did, and the processor time of each side for one acknowledged request, in microseconds. */
export interface Measured extends LoadResult {
  acknowledged: number
  perSecond: number
  serverUs: number
  postgresUs: number
  generatorUs: number
}

/** Runs a load on `server`, whose PostgreSQL is that of process `postmaster`. */
export async function measure(
  generator: Generator,
  server: BenchServer,
  postmaster: number,
  plan: Omit<LoadPlan, 'port' | 'retry' | 'signed'> & Partial<Pick<LoadPlan, 'retry' | 'signed'>>,
): Promise<Measured> {
  const read = async () => ({
    server: await cpuSecondsWithChildren(server.pid),
    postgres: await cpuSecondsWithChildren(postmaster),
  })
  let before = { server: 0, postgres: 0 }
  const result = await generator.run(
    { retry: null, signed: 'before', ...plan, port: server.port },
    async () => {
      before = await read()
    },
  )
  const after = await read()
  const acknowledged = result.statuses['200'] ?? 0
  const us = (seconds: number) => (seconds * 1_000_000) / acknowledged
  return {
    ...result,
    acknowledged,
    perSecond: acknowledged / result.seconds,
    serverUs: us(after.server - before.server),
    postgresUs: us(after.postgres - before.postgres),
    generatorUs: us(result.cpuSeconds),
  }
}

/** One line of what was measured. */
export function describe(measured: Measured): string {
  const { statuses, perSecond, p50, p99, serverUs, postgresUs, generatorUs } = measured
  const answers = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`)
  return (
    `${answers.join(', ')}; ${Math.round(perSecond)}/s; p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; CPU us ` +
    `of server ${serverUs.toFixed(1)}, PostgreSQL ${postgresUs.toFixed(1)}, generator ${generatorUs.toFixed(1)}`
  )
}
