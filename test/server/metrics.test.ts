import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createLogger } from '../../src/lib/log.ts'
import { PROBLEMS } from '../../src/protocol/problems.ts'
import { createMetricsListener } from '../../src/server/metrics-listener.ts'
import { createFleetCounts } from '../../src/server/api/fleet-counts.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { createDatabase, type Database } from '../../src/store/database.ts'
import { findOrAddFlake } from '../../src/store/flakes.ts'
import { recordRun, registerJob } from '../../src/store/job-runs.ts'
import { createDatabaseProxy } from '../support/database-proxy.ts'
import { SETTINGS } from '../support/entries.ts'
import { addTestUser, signedIn } from '../support/people.ts'
import { createStoreView } from '../support/store-view.ts'
import { newKey, registerTestAgent, type TestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts'

async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options)
  onTestFinished(server.stop)
  return server
}

async function startListener({ db }: Pick<Database, 'db'>): Promise<string> {
  const log = createLogger({ level: 'silent' })
  const context = { db, settings: SETTINGS, clock: systemClock, log }
  const metrics = createMetrics(context, createFleetCounts(context))
  metrics.watchQueue('heartbeats', () => 0)
  const listener = createMetricsListener(metrics, { host: '127.0.0.1', port: 0 }, log)
  const address = await listener.start()
  onTestFinished(listener.stop)
  if (address === null || typeof address === 'string') throw new Error('the listener has no port')
  return `http://127.0.0.1:${address.port}`
}

const fetchMetrics = (server: TestServer, token: string | null = server.adminToken) =>
  fetch(`${server.url}/metrics`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } })

/** The samples by their names with labels, as Prometheus reads them. */
async function samples(server: TestServer): Promise<Map<string, number>> {
  const response = await fetchMetrics(server)
  expect(response.status).toBe(200)
  return parse(await response.text())
}

const parse = (text: string) =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => {
        const space = line.lastIndexOf(' ')
        return [line.slice(0, space), Number(line.slice(space + 1))]
      }),
  )

const requests = (route: string, method: string, result: string) =>
  `crystal_forge_http_requests_total{route="${route}",method="${method}",result="${result}"}`

/** A problem is a series once it was answered. */
const isProblem = (matcher: string) => Object.keys(PROBLEMS).some((name) => matcher === `result="${name}"`)

describe('/metrics', () => {
  test('need a token also where everybody may read', async () => {
    const server = await startServer({ settings: { anonymousRead: true } })
    expect((await fetchMetrics(server, null)).status).toBe(401)
    expect((await fetchMetrics(server)).status).toBe(200)
  })

  test('counts requests by route, method and result, and times them', async () => {
    const server = await startServer()
    const agent = await registerTestAgent(server)
    await agent.heartbeat({ sequence: 5 })
    await agent.heartbeat({ sequence: 6 })
    await agent.heartbeat({ sequence: 6 })
    await agent.heartbeat({}, { key: newKey() })
    await agent.heartbeat({ sequence: 0 })
    await agent.report()
    const found = await samples(server)
    expect(found.get(requests('/agent/heartbeat', 'POST', 'ok'))).toBe(2)
    for (const result of ['replayed', 'bad-signature', 'invalid'])
      expect(found.get(requests('/agent/heartbeat', 'POST', result))).toBe(1)
    expect(found.get(requests('/agent/state', 'POST', 'ok'))).toBe(1)
    const heartbeats = 'route="/agent/heartbeat",method="POST"'
    expect(found.get(`crystal_forge_http_request_duration_seconds_count{${heartbeats}}`)).toBe(5)
    expect(found.get(`crystal_forge_http_request_duration_seconds_sum{${heartbeats}}`)).toBeGreaterThan(0)
  })

  test('makes no series of the paths that scanners try', async () => {
    const server = await startServer()
    for (const path of ['/.env', '/wp-login.php', '/api/v1/nothing']) await fetch(server.url + path)
    const found = await samples(server)
    expect(found.get(requests('unknown', 'GET', 'not-found'))).toBe(3)
    expect([...found.keys()].filter((name) => name.includes('wp-login'))).toEqual([])
  })

  test('shows how many heartbeats wait for a batch', async () => {
    const server = await startServer()
    const { db } = server.database
    const agents: TestAgent[] = []
    for (let index = 0; index < 6; index += 1)
      agents.push(await registerTestAgent(server, { hostname: `host${index}` }))
    const heartbeat = async (index: number) => {
      const agent = agents[index]
      if (agent === undefined) throw new Error(`there is no agent ${index}`)
      return agent.heartbeat()
    }
    const queue = 'crystal_forge_queue_depth{queue="heartbeats"}'
    const { waiting } = await db.transaction().execute(async (transaction) => {
      await sql`select from contacts for update`.execute(transaction)
      const first = heartbeat(0)
      await createStoreView(db).untilBlocked(1)
      const rest = [1, 2, 3, 4, 5].map(heartbeat)
      // one batch is under way; the others are there once they have been authenticated
      await expect.poll(async () => (await samples(server)).get(queue), { timeout: 10_000 }).toBe(5)
      return { waiting: [first, ...rest] }
    })
    for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200)
    expect((await samples(server)).get(queue)).toBe(0)
  })

  test('shows when each job last succeeded, and 0 for one that never did', async () => {
    const server = await startServer()
    const { db } = server.database
    for (const name of ['never', 'failing', 'good']) await registerJob(db, name)
    await recordRun(db, 'good', () => Promise.resolve())
    await expect(recordRun(db, 'failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const found = await samples(server)
    const of = (job: string) => found.get(`crystal_forge_job_last_success_timestamp_seconds{job="${job}"}`)
    expect([of('never'), of('failing')]).toEqual([0, 0])
    expect(Math.abs((of('good') ?? 0) - Date.now() / 1000)).toBeLessThan(60)
  })

  test('counts systems by liveness and by flag', async () => {
    const server = await startServer()
    const agent = await registerTestAgent(server)
    await registerTestAgent(server, { hostname: 'silent' })
    await agent.report({ clock_skew_secs: 100 })
    const found = await samples(server)
    expect(found.get('crystal_forge_systems{liveness="online"}')).toBe(1)
    expect(found.get('crystal_forge_systems{liveness="never_seen"}')).toBe(1)
    expect(found.get('crystal_forge_systems{flag="clock_skew"}')).toBe(1)
    expect(found.get('crystal_forge_systems{flag="history_lost"}')).toBe(0)
  })

  test('counts systems by how they stand, and the newest evaluations by result', async () => {
    const server = await startServer()
    const agent = await registerTestAgent(server)
    await agent.report()
    const { db } = server.database
    const flakeId = await findOrAddFlake(db, 'git+https://example.org/x')
    await sql`
      with c as (
        insert into commits (flake_id, sha, position, status, configurations)
        values (${flakeId}, ${'a'.repeat(40)}, 0, 'running', 4) returning id
      ), head as (update flakes set head_commit_id = c.id from c)
      insert into evaluations (commit_id, configuration, status, drv_path, out_path, cause, duration_ms, nix_version)
      select id, 'good', 'succeeded', 'd', 'o', null, 1, '2.8' from c
      union all select id, 'bad', 'failed', null, null, 'assertion', 1, '2.8' from c`.execute(db)
    const found = await samples(server)
    expect(found.get('crystal_forge_systems{drift="unassigned"}')).toBe(1)
    expect(found.get('crystal_forge_systems{drift="behind"}')).toBe(0)
    expect(found.get('crystal_forge_evaluations{result="succeeded"}')).toBe(1)
    expect(found.get('crystal_forge_evaluations{result="assertion"}')).toBe(1)
    expect(found.get('crystal_forge_evaluations{result="pending"}')).toBe(2)
  })

  test('counts the jobs that wait, and says when recurring ones are due', async () => {
    const server = await startServer()
    const { db } = server.database
    const next = new Date('2026-11-23T12:00:00Z')
    await registerJob(db, 'due', next)
    await registerJob(db, 'idle')
    await server.askFor.syncFlake(1)
    const found = await samples(server)
    expect(found.get('crystal_forge_queue_depth{queue="sync-flake"}')).toBe(1)
    expect(found.get('crystal_forge_job_next_run_timestamp_seconds{job="due"}')).toBe(next.getTime() / 1000)
    expect(found.has('crystal_forge_job_next_run_timestamp_seconds{job="idle"}')).toBe(false)
  })

  test('count sign-ins by what came of them', async () => {
    const server = await startServer()
    await addTestUser(server, 'ada', 'admin')
    const browser = await signedIn(server, 'ada')
    for (let tries = 0; tries < 5; tries += 1) await browser.signIn('nobody')
    // after so many the next has to wait longer than this test takes
    await sql`update sign_in_failures set failures = 20`.execute(server.database.db)
    await browser.signIn('nobody')
    const found = await samples(server)
    const of = (result: string) => found.get(`crystal_forge_sign_ins_total{result="${result}"}`)
    expect([of('succeeded'), of('failed'), of('refused')]).toEqual([1, 5, 1])
  })

  test('say how our own parts are', async () => {
    const server = await startServer()
    await findOrAddFlake(server.database.db, 'git+https://example.org/x')
    const found = await samples(server)
    const of = (part: string, status: string) =>
      found.get(`crystal_forge_part_status{part="${part}",status="${status}"}`)
    expect([of('evaluators', 'down'), of('evaluators', 'ok')]).toEqual([1, 0])
  })

  test('have every series that the alert rules ask for', async () => {
    const rules = await readFile(join(import.meta.dirname, '../../docs/alerts.yml'), 'utf8')
    const asked = [...rules.matchAll(/expr:(.*)/g)].flatMap(([, expression = '']) => [
      ...expression.matchAll(/(crystal_forge_\w+)(\{[^}]*\})?/g),
    ])
    expect(asked.length).toBeGreaterThan(8)
    const server = await startServer()
    await registerJob(server.database.db, 'due', new Date())
    await server.api('GET', '/systems')
    const found = [...(await samples(server)).keys()]
    for (const [, name = '', labels = ''] of asked) {
      const matchers = [...labels.matchAll(/(\w+)(=~?)"([^"]*)"/g)]
      const alternatives = matchers.flatMap(([, label, operator, value = '']) =>
        (operator === '=~' ? value.split('|') : [value]).map((each) => `${label}="${each}"`),
      )
      const series = found.filter((each) => each.startsWith(`${name}{`) || each === name)
      expect([name, series.length > 0]).toEqual([name, true])
      for (const each of alternatives.filter((one) => !isProblem(one)))
        expect([name, each, series.some((one) => one.includes(each))]).toEqual([name, each, true])
    }
  })

  test('needs a token, of any role', async () => {
    const server = await startServer()
    expect((await fetchMetrics(server, null)).status).toBe(401)
    expect((await fetchMetrics(server, 'cfa_wrong')).status).toBe(401)
    expect((await fetchMetrics(server, await server.createToken('viewer'))).status).toBe(200)
  })

  test('is not beside the API where it has an address of its own', async () => {
    const server = await startServer({ settings: { metricsListen: { host: '127.0.0.1', port: 0 } } })
    expect((await fetchMetrics(server)).status).toBe(404)
  })
})

const ofSystems = (name: string) => name.startsWith('crystal_forge_systems')

describe('metrics_listen', () => {
  test('answers without a token, and only /metrics', async () => {
    const url = await startListener((await startServer()).database)
    const response = await fetch(`${url}/metrics`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/)
    expect(parse(await response.text()).get('crystal_forge_systems{liveness="online"}')).toBe(0)
    expect((await fetch(`${url}/`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404)
  })

  test('answers also while the database is away, without what is in there', async () => {
    const proxy = await createDatabaseProxy()
    onTestFinished(proxy.stop)
    const { connection } = await startServer()
    const database = createDatabase(proxy.through(connection), {
      maxConnections: 1,
      applicationName: 'metrics',
      log: createLogger({ level: 'silent' }),
    })
    onTestFinished(database.close)
    const url = await startListener(database)
    const names = async () => [...parse(await (await fetch(`${url}/metrics`)).text()).keys()]
    expect((await names()).some(ofSystems)).toBe(true)
    await proxy.cut()
    const left = await names()
    expect(left).toContain('crystal_forge_queue_depth{queue="heartbeats"}')
    expect(left.filter(ofSystems)).toEqual([])
    await proxy.restore()
    expect((await names()).some(ofSystems)).toBe(true)
  })
})
