import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '../../../src/lib/log.ts'
import { VERSION } from '../../../src/lib/version.ts'
import type { Health } from '../../../src/server/routes/health-parts.ts'
import { createPresence } from '../../../src/store/instances.ts'
import { addTestFlake } from '../../support/evaluated.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const read = async (): Promise<Health> => (await server.api('GET', '/health/parts')).body
const part = async (name: string) => (await read()).parts.find((each) => each.name === name)
const run = (statement: ReturnType<typeof sql>) => statement.execute(server.database.db)
const presence = (kind: 'server' | 'evaluator') =>
  createPresence({ db: server.database.db, kind, log: createLogger({ level: 'silent' }) })

test('the database tells its version, size and how fast it answers', async () => {
  const database = await part('database')
  expect(database).toMatchObject({ status: 'ok', since: expect.any(String) })
  expect(database?.text).toMatch(/^PostgreSQL \d+(\.\d+)?, \d+ MiB, answers in \d+\.\d ms$/)
})

test('a server is there from its start to its end, and one that is lost is missed until its host has another', async () => {
  expect(await part('servers')).toMatchObject({ status: 'unknown' })
  const one = presence('server')
  const two = presence('server')
  await one.start()
  await two.start()
  const { instances } = await read()
  expect(instances).toMatchObject([
    { kind: 'server', version: VERSION, present: true },
    { kind: 'server', version: VERSION, present: true },
  ])
  expect(await part('servers')).toMatchObject({ status: 'ok', text: `2 servers of ${VERSION}` })
  await run(sql`update instances set seen_at = now() - interval '5 minutes', host = 'lost1'
    where id = (select id from instances limit 1)`)
  expect(await part('servers')).toMatchObject({
    status: 'degraded',
    text: '1 server; not heard of any more: 1 server on lost1',
  })
  const three = presence('server')
  await three.start()
  await run(
    sql`update instances set host = 'lost1' where started_at = (select max(started_at) from instances)`,
  )
  expect(await part('servers')).toMatchObject({ status: 'ok', text: `2 servers of ${VERSION}` })
  for (const each of [one, two, three]) await each.stop()
  expect((await read()).instances).toEqual([])
})

test('servers of two versions are told', async () => {
  await run(sql`insert into instances (id, kind, host, version)
    values (gen_random_uuid(), 'server', 'a', '0.2.0'), (gen_random_uuid(), 'server', 'b', '0.3.0')`)
  expect(await part('servers')).toMatchObject({
    status: 'degraded',
    text: 'servers of several versions: 0.2.0, 0.3.0',
  })
})

test('what nobody has seen for a day is forgotten by whoever says something next', async () => {
  await run(sql`update instances set seen_at = now() - interval '25 hours'`)
  const one = presence('server')
  await one.start()
  expect((await read()).instances).toHaveLength(1)
  await one.stop()
})

test('an evaluator is missed where a flake is followed', async () => {
  expect(await part('evaluators')).toMatchObject({ status: 'ok' })
  await addTestFlake(server.database.db)
  const missing = await read()
  expect(missing.status).toBe('down')
  expect(missing.parts.find(({ name }) => name === 'evaluators')).toMatchObject({
    status: 'down',
    text: expect.stringMatching(/^none is there: 1 flake will not be followed/),
  })
  const one = presence('evaluator')
  await one.start()
  expect(await part('evaluators')).toMatchObject({ status: 'ok', text: '1 evaluator' })
})

test('a job that is overdue, and one that failed, are named', async () => {
  expect(await part('jobs')).toMatchObject({ status: 'unknown' })
  await run(sql`insert into job_runs (name, next_at, started_at, finished_at) values
    ('good', now() + interval '1 hour', now(), now()), ('late', now() - interval '9 minutes', now(), now())`)
  expect(await part('jobs')).toMatchObject({ status: 'ok' })
  await run(
    sql`update job_runs set failed_at = now() + interval '1 second', error = 'no' where name = 'good'`,
  )
  expect(await part('jobs')).toMatchObject({ status: 'degraded', text: 'failed: good' })
  await run(sql`update job_runs set next_at = now() - interval '11 minutes' where name = 'late'`)
  expect(await part('jobs')).toMatchObject({
    status: 'down',
    text: 'overdue: late',
    since: expect.any(String),
  })
  await run(sql`delete from job_runs`)
})

test('jobs that wait are counted, and those that wait for long are told', async () => {
  expect(await part('queues')).toMatchObject({ status: 'ok', text: 'no job waits' })
  await server.askFor.syncFlake(1)
  expect(await part('queues')).toMatchObject({ status: 'ok', text: '1 in sync-flake' })
  await run(sql`update pgboss.job set start_after = now() - interval '2 hours'`)
  expect(await part('queues')).toMatchObject({
    status: 'degraded',
    text: 'jobs wait for long: 1 in sync-flake',
  })
})

test('webhooks that nothing follows are told', async () => {
  expect(await part('webhooks')).toMatchObject({ status: 'unknown' })
  await run(
    sql`insert into webhook_deliveries (provider, event, outcome) values ('github', 'push', 'accepted')`,
  )
  expect(await part('webhooks')).toMatchObject({ status: 'ok', text: '1 accepted within a day' })
  await run(sql`insert into webhook_deliveries (provider, event, outcome, reason, received_at)
    values ('github', 'push', 'ignored', 'unknown_repository', now() - interval '1 hour')`)
  expect(await part('webhooks')).toMatchObject({ status: 'degraded', since: expect.any(String) })
})
