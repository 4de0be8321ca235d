import { join } from 'node:path'
import { type Bench, type BenchOptions, type Figure, type Figures, percentile } from './figures.ts'
import { registerSystems } from './load/fleet.ts'
import { describe, type Measured, measure } from './load/measured.ts'
import { type BenchServer, withServer } from './load/server.ts'
import { type Site, withSite } from './load/site.ts'
import { timeVerification } from './load/verification.ts'
import { peakResidentBytesWithChildren } from './process-figures.ts'

const ONE_BY_ONE = [join(import.meta.dirname, 'load/one-by-one-main.ts')]
const ROUNDS = 5
/** What a closed loop keeps in flight: the latencies of a maximum are this over the rate. */
const CONNECTIONS = 256

/**
 * What the fleet sends, at the limit: signed heartbeats and reports of many systems over keep-alive connections, to a
 * server on an embedded PostgreSQL with its default durability, all on this machine. What a request costs is measured with
 * one process, what the machine does with as many as it has cores.
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
  const figures: Figures = {}
  await withServer(directory, { processes: 2 }, async (two) => {
    const { single, both } = await withServer(directory, {}, async (one) => {
      await load(setup, 'the first report of each system', one, { reportEvery: 1, requests: systems })
      await client.query('vacuum analyze')
      await load(setup, 'one process, warming up', one, { requests: 60_000 })
      await load(setup, 'two processes, warming up', two, { requests: 60_000 })
      return await heartbeats(setup, one, two, figures)
    })
    await steady(setup, two, both / 2, figures)
    await oneByOne(setup, single, figures)
    await reports(setup, two, figures)
    await herd(setup, two, figures)
  })
  return figures
}

/**
 * At most so fast: processor time of one heartbeat over that of one verification, and with two processes over that with one,
 * in rounds, as what else runs here moves all of them. Returns the rates of the fastest rounds.
 */
async function heartbeats(setup: Setup, one: BenchServer, two: BenchServer, figures: Figures) {
  const rounds: { single: Measured; both: Measured; verifyUs: number }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = timeVerification()
    const single = await load(setup, 'one process, heartbeats', one, { requests: 40_000 })
    const verifyUs = (before + timeVerification()) / 2
    const both = await load(setup, 'two processes, heartbeats', two, { requests: 40_000 })
    rounds.push({ single, both, verifyUs })
  }
  const ratioOf = ({ single, verifyUs }: (typeof rounds)[number]): number => costOf(single) / verifyUs
  const median = rounds.toSorted((a, b) => ratioOf(a) - ratioOf(b))[Math.floor(ROUNDS / 2)]
  if (median === undefined) throw new Error('no rounds')
  const fastest = (pick: (round: (typeof rounds)[number]) => Measured): number =>
    Math.max(...rounds.map((round) => pick(round).perSecond))
  const rates = { single: fastest(({ single }) => single), both: fastest(({ both }) => both) }
  figures['ingest.cpu_ratio'] = figure(ratioOf(median), '')
  figures['ingest.server_us'] = figure(median.single.serverUs, 'us')
  figures['ingest.postgres_us'] = figure(median.single.postgresUs, 'us')
  figures['ingest.generator_us'] = figure(median.single.generatorUs, 'us')
  figures['ingest.verification_us'] = figure(median.verifyUs, 'us')
  const twoOverOne = rounds.map(({ single, both }) => costOf(both) / costOf(single))
  figures['ingest.two_process_cpu'] = figure(percentile(twoOverOne, 50), 'times')
  figures['ingest.one_process_heartbeats_per_s'] = figure(rates.single, '/s')
  figures['ingest.heartbeats_per_s'] = figure(rates.both, '/s')
  figures['ingest.hosts_at_one_a_minute'] = figure(rates.both * 60, 'hosts')
  return rates
}

const costOf = ({ serverUs, postgresUs }: Measured): number => serverUs + postgresUs

async function steady(setup: Setup, server: BenchServer, rate: number, figures: Figures): Promise<void> {
  const half = await load(setup, 'half of it', server, { requests: Math.round(rate * 10), rate })
  figures['ingest.p50_ms'] = figure(half.p50, 'ms')
  figures['ingest.p99_ms'] = figure(half.p99, 'ms')
  const mixed = await load(setup, 'half of it, one in 20 a report', server, {
    requests: Math.round(rate * 10),
    rate,
    reportEvery: 20,
  })
  figures['ingest.mixed_p99_ms'] = figure(mixed.p99, 'ms')
}

async function oneByOne(setup: Setup, batched: number, figures: Figures): Promise<void> {
  await withServer(setup.directory, { program: ONE_BY_ONE }, async (server) => {
    await load(setup, 'one row at a time, warming up', server, { requests: 5000 })
    const single = await load(setup, 'one row at a time', server, { requests: 20_000 })
    figures['ingest.batching_gain'] = figure(batched / single.perSecond, 'times')
  })
}

async function reports(setup: Setup, server: BenchServer, figures: Figures): Promise<void> {
  for (const [name, changing] of [
    ['unchanged', false],
    ['changed', true],
  ] as const) {
    const rates: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const measured = await load(setup, `${name} reports`, server, {
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
    const measured = await load(setup, what, server, {
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
    // those that come one by one cost more than those of a batch
    if (retry === 'as-agents') figures['ingest.paced_report_us'] = figure(costOf(measured), 'us')
  }
  figures['ingest.herd_peak_mb'] = figure((await peakResidentBytesWithChildren(server.pid)) / 2 ** 20, 'MB')
}

async function load(
  setup: Setup,
  what: string,
  server: BenchServer,
  plan: Partial<Parameters<typeof measure>[3]> & { requests: number },
): Promise<Measured> {
  const measured = await measure(setup.generator, server, setup.postmaster, {
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
