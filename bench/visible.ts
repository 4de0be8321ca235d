import { watch } from 'node:fs'
import { mkdir, mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { type DemoFleet, startFleet } from '../src/cli/demo/fleet.ts'
import { switchDemoHost } from '../src/cli/demo/host.ts'
import { until } from '../src/cli/demo/wait.ts'
import { type Bench, type Figure, percentile } from './figures.ts'

const SWITCHES = 200

/**
 * From the rename of /run/current-system to the API showing it: agent, network, verification and a durable commit, on the
 * embedded PostgreSQL with its default durability. Beside it the bare time from a rename to its inotify event.
 */
export const benchVisible: Bench = async ({ say }) => {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  const program = join(import.meta.dirname, '../src/cli/main.ts')
  const fleet = await startFleet(directory, { port: 0, say, program })
  try {
    const api = createPoller(fleet)
    await until('the hosts report', async () => ((await api.current()) === null ? null : true))
    const visible: number[] = []
    for (let count = 0; count < SWITCHES; count += 1) visible.push(await timeSwitch(fleet, api.current))
    api.close()
    const bare = await timeInotify(directory)
    return {
      'visible.p50_ms': milliseconds(percentile(visible, 50)),
      'visible.p99_ms': milliseconds(percentile(visible, 99)),
      'visible.max_ms': milliseconds(Math.max(...visible)),
      'visible.inotify_p50_ms': milliseconds(percentile(bare, 50)),
      'visible.inotify_p99_ms': milliseconds(percentile(bare, 99)),
    }
  } finally {
    await fleet.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

const milliseconds = (value: number): Figure => ({ value: Number(value.toFixed(2)), unit: 'ms' })

async function timeSwitch(fleet: DemoFleet, current: () => Promise<string | null>): Promise<number> {
  const [host] = fleet.hosts
  if (host === undefined) throw new Error('the demo has no hosts')
  const path = await switchDemoHost(host)
  const start = performance.now()
  await until('the switch is visible', async () => ((await current()) === path ? true : null), 10_000)
  return performance.now() - start
}

/** `node:http` with keep-alive: a poll costs the server 1 ms, so that polling does not slow what it measures. */
function createPoller(fleet: DemoFleet) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const url = `${fleet.url}/api/v1/systems/${fleet.hosts[0]?.name ?? ''}`
  const headers = { authorization: `Bearer ${fleet.token}` }
  const current = () =>
    new Promise<string | null>((resolve, reject) => {
      get(url, { agent, headers }, (response) => {
        json(response).then((body) => resolve(currentSystem(body)), reject)
      }).on('error', reject)
    })
  return { current, close: () => agent.destroy() }
}

function currentSystem(body: unknown): string | null {
  const isObject = typeof body === 'object' && body !== null
  return isObject && 'current_system' in body && typeof body.current_system === 'string'
    ? body.current_system
    : null
}

async function timeInotify(parent: string): Promise<number[]> {
  const directory = join(parent, 'inotify')
  await mkdir(directory)
  const link = join(directory, 'current-system')
  const times: number[] = []
  for (let count = 0; count < SWITCHES; count += 1) {
    const seen = Promise.withResolvers<number>()
    const watcher = watch(directory, (_event, name) => {
      if (name === 'current-system') seen.resolve(performance.now())
    })
    await symlink(`generation-${count}`, `${link}.new`)
    const start = performance.now()
    await rename(`${link}.new`, link)
    times.push((await seen.promise) - start)
    watcher.close()
    await readlink(link)
  }
  return times
}
