import { Agent, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Bench, type Figures, percentile } from './figures.ts'
import { measureChanges } from './fleet-changes.ts'
import { withLargeFleet } from './large-fleet.ts'
import { residentBytes } from './process-figures.ts'

const REQUESTS = 200

/**
 * What a dashboard asks of a server that watches 100,000 systems with a million reports (`--full`: ten million): the summary,
 * pages of the list, one system. Over HTTP, one request after the other. Then what changes all of them at once.
 */
export const benchFleet: Bench = async ({ say, full }) =>
  await withLargeFleet({ say, reportsEach: full ? 100 : 10 }, async ({ url, token, pid, startSecs, db }) => ({
    'fleet.start_secs': { value: Number(startSecs.toFixed(1)), unit: 's' },
    ...(await measure(url, token, say)),
    'fleet.server_rss_mb': { value: Math.round((await residentBytes(pid)) / 2 ** 20), unit: 'MB' },
    ...(await measureChanges(db, say)),
  }))

async function measure(url: string, token: string, say: (text: string) => void): Promise<Figures> {
  const client = createClient(url, token)
  const { systems } = await client.read('/systems?limit=100')
  const deep = encodeURIComponent((await client.read('/systems?text=host-8&limit=1')).next ?? '')
  const deepSince = await client.read('/systems?sort=since&standing=in_sync&limit=1000')
  const requests: Record<string, (round: number) => string> = {
    summary: () => '/fleet/summary',
    page_attention: () => '/fleet/attention',
    page_activity: () => '/fleet/activity?limit=50',
    page_search: () => '/search?text=host-8f',
    page_trend: () => '/fleet/trend?period=400d',
    page_first: () => '/systems?limit=100',
    page_drift: () => '/systems?limit=100&drift=behind',
    page_standing: () => '/systems?limit=100&standing=unmanaged&sort=since',
    page_since: () => '/systems?limit=100&sort=since',
    page_worst: () => '/systems?limit=100&sort=drift',
    page_deep: () => `/systems?limit=100&after=${deep}`,
    page_deep_since: () => `/systems?limit=100&sort=since&after=${encodeURIComponent(deepSince.next ?? '')}`,
    system: (round) => `/systems/${systems[round % systems.length]?.hostname ?? ''}`,
    system_reports: (round) => `/systems/${systems[round % systems.length]?.hostname ?? ''}/reports`,
  }
  const figures: Figures = {}
  for (const [name, path] of Object.entries(requests)) {
    say(name)
    for (let round = 0; round < 20; round += 1) await client.time(path(round))
    const times: number[] = []
    for (let round = 0; round < REQUESTS; round += 1) times.push(await client.time(path(round)))
    figures[`fleet.${name}_p50_ms`] = { value: Number(percentile(times, 50).toFixed(1)), unit: 'ms' }
    figures[`fleet.${name}_p99_ms`] = { value: Number(percentile(times, 99).toFixed(1)), unit: 'ms' }
  }
  client.close()
  const pages = Object.keys(figures).filter((name) => /page_.*p99/.test(name))
  const slowest = Math.max(...pages.map((name) => figures[name]?.value ?? 0))
  return { ...figures, 'fleet.page_p99_ms': { value: slowest, unit: 'ms' } }
}

interface Page {
  systems: { hostname: string }[]
  next: string | null
}

/** `node:http` with keep-alive: `fetch` costs milliseconds of its own. */
function createClient(url: string, token: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const request = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get(`${url}/api/v1${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        text(response).then(
          (body) =>
            response.statusCode === 200
              ? resolve(body)
              : reject(new Error(`${path}: ${response.statusCode} ${body}`)),
          reject,
        )
      }).on('error', reject)
    })
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's own tests hold it to this
    read: async (path: string) => JSON.parse(await request(path)) as Page,
    time: async (path: string): Promise<number> => {
      const start = performance.now()
      await request(path)
      return performance.now() - start
    },
    close: () => agent.destroy(),
  }
}
