import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseStateReport } from '../../src/protocol/parse.ts'
import { sha256Id } from '../../src/protocol/digests.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { bundleAgent } from '../../script/builder/bundle.ts'
import { createHost, startServer, storePath, type Host } from '../support/agent.ts'
import type { AgentServer } from '../support/agent-server.ts'
import { waitFor } from '../support/wait.ts'

const ROOT = join(import.meta.dirname, '../..')
const TLS = join(import.meta.dirname, '../support/tls')

let directory = ''
let bundle = ''
let bundled: string[] = []
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bundle-'))
  bundle = join(directory, 'crystal-forge-agent.mjs')
  bundled = await bundleAgent(join(ROOT, 'src/agent/main.ts'), bundle)
})
afterAll(() => rm(directory, { recursive: true }))

async function environment(
  host: Host,
  url: URL,
  more: Record<string, string> = {},
): Promise<NodeJS.ProcessEnv> {
  const keyFile = join(host.stateDir, 'host.key')
  await mkdir(host.stateDir, { recursive: true })
  await writeFile(keyFile, encodeBase64(host.key.seed), { mode: 0o600 })
  return {
    PATH: process.env['PATH'],
    CRYSTAL_FORGE__CLIENT__SERVER_URL: url.origin,
    CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: keyFile,
    CRYSTAL_FORGE__CLIENT__STATE_DIR: host.stateDir,
    CRYSTAL_FORGE__CLIENT__ROOTFS: host.rootfs,
    CRYSTAL_FORGE__CLIENT__HEARTBEAT_INTERVAL: '1s',
    ...more,
  }
}

function run(env: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
  const child = spawn(bundle, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function finish(
  child: ChildProcess,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')])
  return { status: child.exitCode, stdout, stderr }
}

describe('the bundle', () => {
  test('carries neither the schema library nor the command line nor the logger of the server', () => {
    const libraries = bundled
      .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
      .filter((name) => name !== undefined)
    expect([...new Set(libraries)].sort()).toEqual(['canonicalize', 'smol-toml'])
  })

  test('sends a report and heartbeats, and ends by itself on SIGTERM', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const child = run(await environment(host, server.url))
    await waitFor(() => server.accepted() && server.heartbeats.length > 0)
    child.kill('SIGTERM')
    const { status, stderr } = await finish(child)
    expect(status).toBe(0)
    expect(stderr).not.toContain(encodeBase64(host.key.seed))
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
  })

  test('ends on SIGTERM also while the server does not answer, and keeps its report', async () => {
    const server = await startServer()
    server.answerAlways('state', 'hang')
    const host = await createHost(server)
    const env = await environment(host, server.url)
    const child = run(env)
    await waitFor(() => server.reports.length > 0)
    child.kill('SIGTERM')
    expect((await finish(child)).status).toBe(0)
    server.answerAlways('state', null)
    run(env)
    await waitFor(() => server.accepted())
    expect(server.reports[1]!.body).toEqual(server.reports[0]!.body)
  })

  test('speaks TLS with the certificates of ca_file, and to nobody else', async () => {
    const [cert, key] = await Promise.all([
      readFile(join(TLS, 'cert.pem'), 'utf8'),
      readFile(join(TLS, 'key.pem'), 'utf8'),
    ])
    const server = await startServer({ tls: { cert, key } })
    const host = await createHost(server)
    const env = await environment(host, server.url)
    const { status, stderr } = await finish(run(env, '--once'))
    expect(status).toBe(1)
    expect(stderr).toContain('self-signed certificate')
    expect(server.requests).toEqual([])
    const trusting = { ...env, CRYSTAL_FORGE__CLIENT__CA_FILE: join(TLS, 'cert.pem') }
    expect((await finish(run(trusting, '--once'))).status).toBe(0)
    expect(server.accepted()).toBeDefined()
  })
})

describe('--once', () => {
  test('sends one report and exits', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url)
    for (const count of [1, 2]) {
      expect((await finish(run(env, '--once'))).status).toBe(0)
      expect(server.reports).toHaveLength(count)
    }
    expect(server.heartbeats).toEqual([])
    expect(server.reports[1]!.message.previous).toBe(sha256Id(server.reports[0]!.body))
  })

  test('fails when the report is not accepted, and sends it the next time', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url)
    server.answerNext('state', { status: 502, body: '' })
    const failed = await finish(run(env, '--once'))
    expect(failed.status).toBe(1)
    expect(failed.stderr).toContain('stays in the spool')
    expect((await finish(run(env, '--once'))).status).toBe(0)
    expect(server.reports).toHaveLength(3)
    expect(server.reports[1]!.body).toEqual(server.reports[0]!.body)
  })

  test('is refused while the service runs', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url)
    const service = run(env)
    await waitFor(() => server.accepted())
    const { status, stderr } = await finish(run(env, '--once'))
    expect(status).toBe(1)
    expect(stderr).toContain(`process ${service.pid}`)
  })
})

describe('--print', () => {
  test('prints a valid report, and sends and writes nothing', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url, { CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: '/nowhere' })
    const { status, stdout } = await finish(run(env, '--print'))
    expect(status).toBe(0)
    expect(parseStateReport(Buffer.from(stdout)).value).toMatchObject({
      reason: 'startup',
      system: { current: storePath('25.11.20251120.abc1234') },
    })
    expect(server.requests).toEqual([])
  })
})

test.each([
  ['an unknown option', ['--bogus'], 2, 'bogus'],
  ['options that exclude each other', ['--once', '--print'], 2, 'exclude'],
])('%s is wrong usage', async (_what, args, expected, words) => {
  const { status, stderr } = await finish(run({ PATH: process.env['PATH'] }, ...args))
  expect(status).toBe(expected)
  expect(stderr).toContain(words)
})

test('a missing key is said in one line', async () => {
  const server = await startServer()
  const host = await createHost(server)
  const env = await environment(host, server.url, {
    CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: '/nowhere/key',
    CRYSTAL_FORGE__CLIENT__STATE_DIR: '/nowhere',
  })
  const { status, stderr } = await finish(run(env))
  expect(status).toBe(1)
  expect(stderr).toMatch(/^crystal-forge-agent: there is no private key at [^\n]*\n$/)
})

/** Every body that came under one sequence is the same, and what was accepted is one chain. */
function expectOneChain(server: AgentServer): void {
  const bodies = new Map<number, string>()
  const chain: { id: string; previous: string | null; dropped: number; sequence: number }[] = []
  for (const { message, body } of server.reports) {
    expect(bodies.get(message.sequence) ?? body.toString()).toBe(body.toString())
    bodies.set(message.sequence, body.toString())
    const id = sha256Id(body)
    if (!chain.some((report) => report.id === id)) chain.push({ id, ...message })
  }
  for (const [index, report] of chain.entries()) {
    expect(report.previous).toBe(chain[index - 1]?.id ?? null)
    expect(report.dropped).toBe(0)
    expect(report.sequence).toBeGreaterThan(chain[index - 1]?.sequence ?? 0)
  }
}

describe('killed at any moment', () => {
  test('nothing is lost, and the chain goes on', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url)
    let switches = 0
    for (let round = 0; round < 12; round += 1) {
      // Broken answers leave the agent in doubt whether the server has its report.
      if (round % 3 === 1) server.answerNext('state', 'reset')
      if (round % 3 === 2) server.answerNext('state', 'hang')
      const seen = server.reports.length
      await host.switchTo(`round-${(switches += 1)}`)
      const child = run(env)
      await waitFor(() => server.reports.length > seen)
      await host.switchTo(`round-${(switches += 1)}`)
      if (round % 2 === 0) await waitFor(() => server.reports.length > seen + 1 || round % 3 === 2)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await expectGoesOn(server, host, env)
  })

  test('of writing to its state directory, likewise', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const env = await environment(host, server.url)
    for (let count = 1; count <= 24; count += 1) {
      await host.switchTo(`write-${count}`)
      const child = run(env)
      let writes = 0
      const watcher = watch(host.stateDir, { recursive: true }, () => {
        writes += 1
        if (writes === count) child.kill('SIGKILL')
      })
      await once(child, 'exit')
      watcher.close()
    }
    await expectGoesOn(server, host, env)
  })
})

async function expectGoesOn(server: AgentServer, host: Host, env: NodeJS.ProcessEnv): Promise<void> {
  await host.switchTo('last')
  run(env)
  await waitFor(() => server.reports.at(-1)?.message.system?.current === storePath('last'))
  await waitFor(() => server.accepted() === sha256Id(server.reports.at(-1)!.body))
  expectOneChain(server)
}
