import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createApiToken } from '../../src/store/api-tokens.ts'
import { listInstances } from '../../src/store/instances.ts'
import { type RunningProcess, startProcess } from '../faults/support/processes.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { registerTestAgent } from '../support/test-agent.ts'
import type { ApiRequest } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'

const READY = 'a server process is ready'
/** Three programs start for each test, on a machine that may have much to do. */
const TIME_LIMIT_MS = 600_000
/** On connections of their own, which go to the processes in turn. */
const ALONE = { headers: { connection: 'close' } }

async function database(): Promise<TestDatabase> {
  const made = await createTestDatabase()
  onTestFinished(made.drop)
  return made
}

/** A server of `processes`, as it is run, until the test is over. */
async function startServer(
  { connection }: TestDatabase,
  { processes = 2, port = 0 },
): Promise<RunningProcess> {
  const directory = await temporaryDirectory()
  const configPath = join(directory, 'config.toml')
  await writeFile(
    configPath,
    `[server]
host = "127.0.0.1"
port = ${port}
state_dir = "${directory}"
evaluate = false
processes = ${processes}

[database]
host = "${connection.host}"
port = ${connection.port}
user = "${connection.user}"
password = "${connection.password?.reveal() ?? ''}"
name = "${connection.name}"
`,
  )
  const server = startProcess({ args: ['server'], configPath })
  onTestFinished(async () => {
    if (server.isRunning()) await server.end('SIGTERM')
  })
  return server
}

async function connectTo(server: RunningProcess, { database: { db } }: TestDatabase) {
  await server.logged('all processes of the server are ready')
  const url = String((await server.logged('the server is ready'))['address'])
  const { token } = await createApiToken(db, { name: 'test', role: 'admin', expiresAt: null })
  const authorization = `Bearer ${token}`
  const api = async (method: string, path: string, { body }: ApiRequest = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization,
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
  }
  const readMetrics = async (): Promise<string> => {
    const response = await fetch(`${url}/metrics`, { headers: { authorization, connection: 'close' } })
    return await response.text()
  }
  return { url, authority: new URL(url).host, authorization, api, readMetrics }
}

/** The processes that have answered heartbeats so. */
const answeredBy = (metrics: string, result: string): string[] =>
  [...metrics.matchAll(/^crystal_forge_http_requests_total\{(.*)\} [1-9]/gm)]
    .map(([, labels = '']) => labels)
    .filter((labels) => labels.includes('/agent/heartbeat') && labels.includes(`result="${result}"`))
    .map((labels) => /process="(\d+)"/.exec(labels)?.[1] ?? 'none')
    .toSorted()

/** The server's own processes, by their numbers. */
const pidsOf = (server: RunningProcess): Map<number, number> =>
  new Map(
    server.lines
      .filter(({ msg }) => msg === READY)
      .map((line): [number, number] => [Number(line['process']), Number(line['pid'])]),
  )

test(
  'several processes serve one address, and the metrics of all are had from each',
  { timeout: TIME_LIMIT_MS },
  async () => {
    const store = await database()
    const server = await startServer(store, {})
    const forge = await connectTo(server, store)
    const agent = await registerTestAgent(forge)
    for (let index = 0; index < 4; index++) expect((await agent.heartbeat({}, ALONE)).status).toBe(200)

    const texts = [await forge.readMetrics(), await forge.readMetrics()]
    for (const text of texts) {
      expect(answeredBy(text, 'ok')).toEqual(['1', '2'])
      const counted = [...text.matchAll(/^crystal_forge_http_requests_total\{.*heartbeat.*\} (\d+)/gm)]
      expect(counted.map(([, count]) => Number(count)).reduce((a, b) => a + b)).toBe(4)
      // of the database, once; and each metric is described once
      expect([...text.matchAll(/^crystal_forge_systems\{liveness="online"\} 1$/gm)]).toHaveLength(1)
      const described = [...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)
      expect(described).toEqual([...new Set(described)])
    }
    const { body } = await forge.api('GET', '/health/parts')
    expect(JSON.stringify(body)).toContain('2 servers of')
  },
)

test('a key that is revoked is refused by each process at once', { timeout: TIME_LIMIT_MS }, async () => {
  const store = await database()
  const server = await startServer(store, {})
  const forge = await connectTo(server, store)
  const agent = await registerTestAgent(forge)
  for (let index = 0; index < 4; index++) expect((await agent.heartbeat({}, ALONE)).status).toBe(200)
  expect(answeredBy(await forge.readMetrics(), 'ok')).toEqual(['1', '2'])

  const revoked = await forge.api(
    'DELETE',
    `/systems/${agent.hostname}/keys/${encodeURIComponent(agent.key.id)}`,
  )
  expect(revoked.status).toBeLessThan(300)
  const statuses: number[] = []
  for (let index = 0; index < 4; index++) statuses.push((await agent.heartbeat({}, ALONE)).status)
  expect(statuses).toEqual([403, 403, 403, 403])
  expect(answeredBy(await forge.readMetrics(), 'revoked-key')).toEqual(['1', '2'])
})

test('events are heard from each process, whichever caused them', { timeout: TIME_LIMIT_MS }, async () => {
  const store = await database()
  const server = await startServer(store, {})
  const forge = await connectTo(server, store)
  const agent = await registerTestAgent(forge)
  const streams = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const response = await fetch(`${forge.url}/api/v1/events`, {
        headers: { authorization: forge.authorization, connection: 'close' },
      })
      expect(response.status).toBe(200)
      if (response.body === null) throw new Error('the stream has no body')
      return response.body.pipeThrough(new TextDecoderStream()).getReader()
    }),
  )
  // the first id is sent once a stream follows
  for (const stream of streams) expect((await stream.read()).value).toMatch(/^id: /)
  await agent.report({ clock_skew_secs: 100 }, ALONE)
  for (const stream of streams) {
    let heard = ''
    while (!heard.includes(`"hostname":"${agent.hostname}"`)) heard += (await stream.read()).value ?? ''
    await stream.cancel()
  }
})

test(
  'a process that is killed is started again in its place, while the others answer',
  { timeout: TIME_LIMIT_MS },
  async () => {
    const store = await database()
    const server = await startServer(store, {})
    const forge = await connectTo(server, store)
    const agent = await registerTestAgent(forge)
    const before = pidsOf(server)
    for (const victim of [2, 1]) {
      process.kill(before.get(victim) ?? 0, 'SIGKILL')
      await server.logged('a server process has ended by itself; it is started again')
      await waitFor(() => pidsOf(server).get(victim) !== before.get(victim), { timeoutMs: 120_000 })
      expect((await agent.heartbeat({}, ALONE)).status).toBe(200)
    }
    // who took their places is not missed
    const present = await listInstances(store.database.db)
    expect(present.map(({ kind, present: isThere }) => [kind, isThere])).toEqual([
      ['server', true],
      ['server', true],
    ])
    expect(await server.end('SIGTERM')).toBe('status 0')
    for (const pid of pidsOf(server).values()) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(await listInstances(store.database.db)).toEqual([])
  },
)

test(
  'what keeps a server from starting ends all of it with status 1',
  { timeout: TIME_LIMIT_MS },
  async () => {
    const store = await database()
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    if (address === null || typeof address === 'string') throw new Error('it has no port')
    const server = await startServer(store, { port: address.port })
    await waitFor(() => !server.isRunning(), { timeoutMs: 120_000 })
    expect(await server.end('SIGTERM')).toBe('status 1')
    const said = server.lines.map(({ msg }) => msg).join('\n')
    expect(said).toContain('EADDRINUSE')
    expect(said).toContain('server process 1 ended before it was ready, with status 1')
  },
)

test('processes end when the one that looks after them is killed', { timeout: TIME_LIMIT_MS }, async () => {
  const store = await database()
  const server = await startServer(store, {})
  await connectTo(server, store)
  const pids = [...pidsOf(server).values()]
  expect(await server.end('SIGKILL')).toBe('SIGKILL')
  await waitFor(async () => (await Promise.all(pids.map(isGone))).every(Boolean), { timeoutMs: 120_000 })
})

const lib = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../src', path))

test('a process that hangs is killed, and started again', { timeout: TIME_LIMIT_MS }, async () => {
  const directory = await temporaryDirectory()
  const script = join(directory, 'hanging.ts')
  await writeFile(
    script,
    `import { runUntilSignal } from ${lib('lib/lifecycle.ts')}
     import { createLogger } from ${lib('lib/log.ts')}
     import { takePlace } from ${lib('server/processes/place.ts')}
     import { superviseProcesses } from ${lib('server/processes/supervise.ts')}
     const place = takePlace(process.env)
     const log = createLogger()
     if (place === null) await runUntilSignal(superviseProcesses({ count: 2, log, tickMs: 50 }), log)
     else {
       const alive = setInterval(() => process.send({ type: 'alive' }), 20)
       place.ready()
       await place.told
       clearInterval(alive)
       place.leave()
     }`,
  )
  const server = startProcess({ program: script, args: [], configPath: '' })
  onTestFinished(async () => {
    if (server.isRunning()) await server.end('SIGTERM')
  })
  await server.logged('all processes of the server are ready')
  const hanging = pidsOf(server).get(2) ?? 0
  process.kill(hanging, 'SIGSTOP')
  const killed = (): boolean =>
    server.lines.some((line) => line.msg === 'a server process hangs: killing it' && line['pid'] === hanging)
  await waitFor(killed, { timeoutMs: 120_000 })
  await waitFor(() => ![undefined, hanging].includes(pidsOf(server).get(2)), { timeoutMs: 120_000 })
})

async function isGone(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '0 (gone) Z')
  return /\) [ZX]/.test(status)
}
