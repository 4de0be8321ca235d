import { parseArgs } from 'node:util'
import type { Client } from 'pg'
import { registerSystems } from '../load/fleet.ts'
import { describe, type Measured, measure } from '../load/measured.ts'
import { type BenchServer, withServer } from '../load/server.ts'
import { type Site, withSite } from '../load/site.ts'
import { residentBytes } from '../process-figures.ts'
import { judge, type Sample } from './judge.ts'
import { samplesTable, verdictsTable } from './tables.ts'

const SYSTEMS = 10_000
const CONNECTIONS = 256
const REPORT_EVERY = 20
/** Of a whole run: enough for thirds of ten. */
const SAMPLES = 30
/** Reports are evidence, and kept, and each makes an event, kept for days. Everything else is of the size of the fleet. */
const FLAT = ['contacts', 'keys', 'facts', 'drift', 'flags', 'online_periods', 'instances', 'job_runs']

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error('--minutes needs a number above 0')

const say = (text: string): void => console.error(`half load: ${text}`)

const failed = await withSite(async (site) => {
  const { client } = site
  say(`registering ${SYSTEMS} systems`)
  await registerSystems(client, SYSTEMS)
  return await withServer(site.directory, {}, async (server) => {
    await load(site, server, { requests: SYSTEMS, reportEvery: 1 })
    await client.query('vacuum analyze')
    return await soak(site, server)
  })
})
process.exitCode = failed ? 1 : 0

async function soak(site: Site, server: BenchServer): Promise<boolean> {
  await load(site, server, { requests: 20_000 })
  const most = await load(site, server, { requests: 40_000 })
  say(`at most: ${describe(most)}`)
  const rate = Math.floor(most.perSecond / 2)
  const before = await countReports(site.client)
  const requests = Math.ceil((rate * minutes * 60) / SAMPLES)
  const samples: Sample[] = []
  const begun = performance.now()
  let sent = 0
  for (let part = 0; part < SAMPLES; part += 1) {
    const measured = await load(site, server, { requests, rate })
    const accepted = measured.statuses['200'] ?? 0
    sent += Math.ceil(requests / REPORT_EVERY)
    samples.push({
      atSecs: (performance.now() - begun) / 1000,
      requests,
      refused: requests - accepted,
      p50Ms: measured.p50,
      p99Ms: measured.p99,
      residentBytes: await residentBytes(server.pid),
      tables: await tableSizes(site.client),
    })
    say(describe(measured))
  }
  const stored = (await countReports(site.client)) - before
  const verdicts = judge(samples)
  const refused = samples.reduce((sum, sample) => sum + sample.refused, 0)
  process.stdout.write(
    `${minutes} minutes at ${rate} requests a second, half of what this machine does, one in ${REPORT_EVERY} a report; ` +
      `${SYSTEMS} systems; ${refused} of ${requests * SAMPLES} requests not accepted; ${stored} reports stored.\n\n` +
      `${verdictsTable(verdicts)}\n${samplesTable(samples)}`,
  )
  // each part ends in the middle of a round of the systems
  const isOff = Math.abs(stored - sent) > SAMPLES
  if (isOff) say(`about ${sent} reports were sent, ${stored} are stored`)
  return refused > 0 || isOff || verdicts.some(({ isFlat }) => !isFlat)
}

function load(
  site: Site,
  server: BenchServer,
  plan: { requests: number; rate?: number; reportEvery?: number },
): Promise<Measured> {
  return measure(site.generator, server, site.postmaster, {
    systems: SYSTEMS,
    reportEvery: REPORT_EVERY,
    changing: false,
    connections: CONNECTIONS,
    rate: null,
    signed: 'meanwhile',
    ...plan,
  })
}

async function countReports(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>('select count(*) from reports')
  return Number(rows[0]?.count)
}

async function tableSizes(client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: string }>(
    `select relname as name, pg_total_relation_size(oid) as bytes from pg_class
     where relnamespace = 'public'::regnamespace and relname = any($1) order by array_position($1, relname::text)`,
    [FLAT],
  )
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}
