import { join } from 'node:path'
import { type Bench, type BenchOptions, type Figure, type Figures, percentile } from './figures.ts'
import { registerSystems } from './load/fleet.ts'
import { describe, type Measured, measure } from './load/measured.ts'
import { type BenchServer, startBenchServer } from './load/server.ts'
import { type Site, withSite } from './load/site.ts'
import { timeVerification } from './load/verification.ts'
import { peakResidentBytes } from './process-figures.ts'

const ONE_BY_ONE = [join(import.meta.dirname, 'load/one-by-one-main.ts')]
const ROUNDS = 5
/** What a closed loop keeps in flight: the latencies of a maximum are this over the rate. */
const CONNECTIONS = 256

/**
 * What the fleet sends, at the limit: signed heartbeats and reports of many systems over keep-alive connections, to
 * server processes on an embedded PostgreSQL with its default durability, all on this machine.
 */
export const benchIngest: Bench = (options) =>
  withSite((site) => measureAll({ ...options, ...site, systems: options.full ? 100_000 : 10_000 }))

interface Setup extends BenchOptions, Site {
  systems: number
}

async function measureAll(setup: Setup): Promise<Figures> {
  const { client, systems, directory, say } = setup
  say(`registering ${systems} systems`)
  await registerSystems(client, systems)
  const server = await startBenchServer(directory)
  const figures: Figures = {}
  try {
    await load(setup, 'the first report of each system', [server], { reportEvery: 1, requests: systems })
    await client.query('vacuum analyze')
    await load(setup, 'warming up', [server], { requests: 20_000 })
    const best = await heartbeats(setup, server, figures)
    await steady(setup, server, best.perSecond / 2, figures)
    await oneByOne(setup, best.perSecond, figures)
    await reports(setup, server, figures)
    await herd(setup, server, figures)
    await twoProcesses(setup, server, figures)
  } finally {
    await server.stop()
  }
  return figures
}

/** At most so fast: CPU of one heartbeat over that of one verification, in rounds, as what else runs here moves both. */
async function heartbeats(setup: Setup, server: BenchServer, figures: Figures) {
  const rounds: { measured: Measured; verifyUs: number; ratio: number }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = timeVerification()
    const measured = await load(setup, 'heartbeats', [server], { requests: 40_000 })
    const verifyUs = (before + timeVerification()) / 2
    rounds.push({ measured, verifyUs, ratio: (measured.serverUs + measured.postgresUs) / verifyUs })
  }
  const median = rounds.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(ROUNDS / 2)]
  const best = rounds.toSorted((a, b) => b.measured.perSecond - a.measured.perSecond)[0]
  if (median === undefined || best === undefined) throw new Error('no rounds')
  figures['ingest.cpu_ratio'] = figure(median.ratio, '')
  figures['ingest.server_us'] = figure(median.measured.serverUs, 'us')
  figures['ingest.postgres_us'] = figure(median.measured.postgresUs, 'us')
  figures['ingest.generator_us'] = figure(median.measured.generatorUs, 'us')
  figures['ingest.verification_us'] = figure(median.verifyUs, 'us')
  figures['ingest.heartbeats_per_s'] = figure(best.measured.perSecond, '/s')
  figures['ingest.hosts_at_one_a_minute'] = figure(best.measured.perSecond * 60, 'hosts')
  return best.measured
}

async function steady(setup: Setup, server: BenchServer, rate: number, figures: Figures): Promise<void> {
  const half = await load(setup, 'half of it', [server], { requests: Math.round(rate * 10), rate })
  figures['ingest.p50_ms'] = figure(half.p50, 'ms')
  figures['ingest.p99_ms'] = figure(half.p99, 'ms')
  const mixed = await load(setup, 'half of it, one in 20 a report', [server], {
    requests: Math.round(rate * 10),
    rate,
    reportEvery: 20,
  })
  figures['ingest.mixed_p99_ms'] = figure(mixed.p99, 'ms')
}

async function oneByOne(setup: Setup, batched: number, figures: Figures): Promise<void> {
  const server = await startBenchServer(setup.directory, ONE_BY_ONE)
  try {
    await load(setup, 'one row at a time, warming up', [server], { requests: 5000 })
    const single = await load(setup, 'one row at a time', [server], { requests: 20_000 })
    figures['ingest.batching_gain'] = figure(batched / single.perSecond, 'times')
  } finally {
    await server.stop()
  }
}

async function reports(setup: Setup, server: BenchServer, figures: Figures): Promise<void> {
  for (const [name, changing] of [
    ['unchanged', false],
    ['changed', true],
  ] as const) {
    const rates: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const measured = await load(setup, `${name} reports`, [server], {
        requests: setup.systems,
        reportEvery: 1,
        changing,
      })
      rates.push(measured.perSecond)
    }
    figures[`ingest.reports_per_s_${name}`] = figure(Math.max(...rates), '/s')
  }
}

/** Every system comes back over a connection of its own with one report: all at once, and as agents do after a long outage. */
async function herd(setup: Setup, server: BenchServer, figures: Figures): Promise<void> {
  const hosts = Math.min(setup.systems, 10_000)
  const count = async () => Number((await setup.client.query('select count(*) from reports')).rows[0]?.count)
  for (const [name, what, retry] of [
    ['ingest.herd_secs', 'a herd', 'soon'],
    ['ingest.herd_paced_secs', "a herd with the agents' back-off", 'as-agents'],
  ] as const) {
    const before = await count()
    const measured = await load(setup, what, [server], {
      systems: hosts,
      requests: hosts,
      connections: hosts,
      reportEvery: 1,
      changing: true,
      retry,
    })
    const stored = (await count()) - before
    if (stored !== hosts) throw new Error(`the herd sent ${hosts} reports, and ${stored} were stored`)
    figures[name] = figure(measured.seconds, 's')
  }
  figures['ingest.herd_peak_mb'] = figure((await peakResidentBytes(server.pid)) / 2 ** 20, 'MB')
}

async function twoProcesses(setup: Setup, one: BenchServer, figures: Figures): Promise<void> {
  const two = await startBenchServer(setup.directory)
  try {
    await load(setup, 'warming up the second server', [two], { requests: 20_000 })
    const ratios: number[] = []
    let best = 0
    for (let round = 0; round < 3; round += 1) {
      const single = await load(setup, 'one server', [one], { requests: 40_000 })
      const both = await load(setup, 'two servers', [one, two], { requests: 40_000 })
      ratios.push((both.serverUs + both.postgresUs) / (single.serverUs + single.postgresUs))
      best = Math.max(best, both.perSecond)
    }
    figures['ingest.two_process_cpu'] = figure(percentile(ratios, 50), 'times')
    figures['ingest.two_process_heartbeats_per_s'] = figure(best, '/s')
  } finally {
    await two.stop()
  }
}

async function load(
  setup: Setup,
  what: string,
  servers: readonly BenchServer[],
  plan: Partial<Parameters<typeof measure>[3]> & { requests: number },
): Promise<Measured> {
  const measured = await measure(setup.generator, servers, setup.postmaster, {
    systems: setup.systems,
    reportEvery: 0,
    changing: false,
    connections: CONNECTIONS,
    rate: null,
    ...plan,
  })
  setup.say(`${what}: ${describe(measured)}`)
  const refused = Object.keys(measured.statuses).filter((status) => status !== '200')
  if ((plan.retry ?? null) === null && refused.length > 0)
    throw new Error(`${what}: not every request was accepted`)
  return measured
}

const figure = (value: number, unit: string): Figure => ({
  value: Number(value.toFixed(value < 10 ? 2 : 1)),
  unit,
})
