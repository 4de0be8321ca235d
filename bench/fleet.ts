import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createAdminToken } from '../src/cli/demo/admin-token.ts'
import { startChild } from '../src/cli/demo/child.ts'
import { until } from '../src/cli/demo/wait.ts'
import { freePort } from '../src/cli/demo/free-port.ts'
import { loadConfig } from '../src/lib/config/load.ts'
import { createLogger } from '../src/lib/log.ts'
import { createConfiguredDatabase } from '../src/store/configured-database.ts'
import { withClient } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'
import { type Bench, type Figures, percentile } from './figures.ts'
import { fillFleet } from './fleet-rows.ts'

const SYSTEMS = 100_000
const REQUESTS = 200

/**
 * What a dashboard asks of a server that watches 100,000 systems: the summary, pages of the list, one system. On the
 * embedded PostgreSQL with its default durability, over HTTP, one request after the other.
 */
export const benchFleet: Bench = async ({ say }) => {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const port = await freePort()
  const configPath = join(directory, 'server.toml')
  await writeFile(
    configPath,
    `[server]\nhost = "127.0.0.1"\nport = ${port}\nevaluate = false\nstate_dir = ${JSON.stringify(directory)}\n`,
  )
  const log = createLogger({ level: 'warn' })
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  try {
    const connection = await configured.start()
    await migrate(connection, { log })
    say(`making ${SYSTEMS} systems`)
    await withClient(connection, 'bench', (client) => fillFleet(client, SYSTEMS))
    const server = startChild({
      program: join(import.meta.dirname, '../src/cli/main.ts'),
      args: ['server'],
      configPath,
      logFile: join(directory, 'server.log'),
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await Promise.race([server.failure, until('the server answers', () => isReady(url), 30_000)])
      return await measure(url, await createAdminToken(configPath), say)
    } finally {
      await server.stop()
    }
  } finally {
    await configured.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

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

async function isReady(url: string): Promise<true | null> {
  const response = await fetch(`${url}/health/ready`)
  await response.body?.cancel()
  return response.ok ? true : null
}
