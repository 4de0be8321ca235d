import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleAgent } from '../script/builder/bundle.ts'
import { encodeBase64, generateSeed, parsePrivateKey } from '../src/protocol/keys.ts'
import { createAgentServer, type AgentServer } from '../test/support/agent-server.ts'
import { waitFor } from '../test/support/wait.ts'
import { percentile, type BenchOptions, type Figures } from './figures.ts'
import { cpuSeconds, residentBytes } from './process-figures.ts'

const HEARTBEATS = 2000
/** Left out of the processor time: what starting costs is `agent.start_ms`. */
const WARM_UP = 200
const INTERVAL_MS = 5
const HEARTBEATS_PER_DAY = 1440
const STARTS = 5
const MINUTE_MS = 60_000

/**
 * What an agent costs its host, measured on the bundle that is shipped, with this machine's own facts, against a server
 * that verifies every signature.
 */
export async function benchAgent({ say }: BenchOptions): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  try {
    say('bundling')
    const bundles = { shipped: join(directory, 'agent.mjs'), quick: join(directory, 'quick.mjs') }
    await bundleAgent(join(import.meta.dirname, '../src/agent/main.ts'), bundles.shipped)
    await bundleAgent(join(import.meta.dirname, 'agent-process.ts'), bundles.quick)
    const startMs = []
    for (let i = 0; i < STARTS; i += 1) startMs.push(await measureStart(directory, bundles.shipped, i))
    say(`sending ${HEARTBEATS} heartbeats`)
    const { agentBytes, bareBytes, cpuPerHeartbeat } = await measureHeartbeats(directory, bundles.quick)
    return {
      'agent.rss_ratio': { value: round(agentBytes / bareBytes, 3), unit: '× bare Node' },
      'agent.rss_mb': { value: round(agentBytes / 1e6, 1), unit: 'MB' },
      'agent.bare_rss_mb': { value: round(bareBytes / 1e6, 1), unit: 'MB' },
      'agent.start_ms': { value: round(percentile(startMs, 50), 0), unit: 'ms' },
      'agent.cpu_secs_per_day': { value: round(cpuPerHeartbeat * HEARTBEATS_PER_DAY, 2), unit: 's' },
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** From starting the process until the server has its first report. */
async function measureStart(directory: string, bundle: string, run: number): Promise<number> {
  const server = await createAgentServer()
  const before = performance.now()
  const agent = await startAgent(bundle, join(directory, `start-${run}`), server)
  try {
    await waitFor(() => server.accepted(), { what: 'the first report' })
    return performance.now() - before
  } finally {
    await end(agent)
    await server.stop()
  }
}

async function measureHeartbeats(
  directory: string,
  bundle: string,
): Promise<{ agentBytes: number; bareBytes: number; cpuPerHeartbeat: number }> {
  const server = await createAgentServer()
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 2 ** 30)'], { stdio: 'ignore' })
  const agent = await startAgent(bundle, join(directory, 'beats'), server)
  const [agentPid, barePid] = [pidOf(agent), pidOf(bare)]
  try {
    const beats = (count: number): Promise<unknown> =>
      waitFor(() => server.heartbeats.length >= count, {
        timeoutMs: 5 * MINUTE_MS,
        what: `${count} heartbeats`,
      })
    await beats(WARM_UP)
    const before = await cpuSeconds(agentPid)
    await beats(HEARTBEATS)
    return {
      agentBytes: await residentBytes(agentPid),
      bareBytes: await residentBytes(barePid),
      cpuPerHeartbeat: ((await cpuSeconds(agentPid)) - before) / (HEARTBEATS - WARM_UP),
    }
  } finally {
    await end(agent)
    await end(bare)
    await server.stop()
  }
}

async function startAgent(bundle: string, state: string, server: AgentServer): Promise<ChildProcess> {
  const seed = generateSeed()
  const text = encodeBase64(seed)
  server.register(parsePrivateKey(text).publicKey)
  await writeFile(`${state}.key`, text, { mode: 0o600 })
  return spawn(bundle, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      CONFIG_PATH: '',
      BENCH_INTERVAL_MS: String(INTERVAL_MS),
      CRYSTAL_FORGE__CLIENT__SERVER_URL: server.url.origin,
      CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: `${state}.key`,
      CRYSTAL_FORGE__CLIENT__STATE_DIR: state,
    },
  })
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the process did not start')
  return pid
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
