import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withClient } from '../../../src/store/database.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch, shaOf } from '../../support/evaluated.ts'
import { registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'
import { waitFor } from '../../support/wait.ts'

let server: TestServer
let agent: TestAgent
let paths: string[]

beforeAll(async () => {
  server = await startTestServer()
  agent = await registerTestAgent(server)
  await agent.report()
  await agent.heartbeat()
  await server.api('POST', '/enroll-tokens', { body: { name: 'x' } })
  const flakeId = await addTestFlake(server.database.db)
  const commits = await moveTestBranch(server.database.db, flakeId, ['one', 'two'])
  for (const commit of commits) await evaluateTestCommit(server.database.db, commit, { web1: commit.sha })
  paths = [
    '/fleet/summary',
    '/fleet/attention',
    '/fleet/activity',
    '/fleet/trend',
    '/systems',
    '/systems/web1',
    '/systems/web1/keys',
    '/systems/web1/reports',
    '/systems/web1/timeline',
    '/systems/web1/fact-changes',
    '/systems/web1/generations',
    '/systems/web1/online-periods?to=2027-01-01T00:00:00Z',
    '/search?text=web',
    `/reports/${agent.reported}`,
    '/flakes',
    `/flakes/${flakeId}`,
    `/flakes/${flakeId}/commits`,
    `/commits/${shaOf('two')}`,
    `/commits/${shaOf('two')}/changes`,
    '/systems/web1/desired-commits',
    '/evaluations',
    '/evaluations/1',
    '/keys',
    '/enroll-tokens',
    '/tokens',
    '/jobs',
    '/openapi.json',
  ]
})
afterAll(() => server.stop())

const sql = <Row extends object>(text: string) =>
  withClient(server.connection, 'test', async (client) => (await client.query<Row>(text)).rows)

const lastUsed = async () =>
  (await sql<{ last_used_at: Date }>('select last_used_at from api_tokens where id = 1'))[0]?.last_used_at

/** Every row of every table but the last use of tokens. */
async function everything(): Promise<string> {
  const tables = await sql<{ name: string }>(
    `select quote_ident(c.relname) as name from pg_class c
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  const texts = tables.map(async ({ name }) => {
    const rows = await sql<object>(`select to_jsonb(t) - 'last_used_at' as row from ${name} t order by 1`)
    return `${name}: ${JSON.stringify(rows)}`
  })
  return (await Promise.all(texts)).join('\n')
}

test('no read changes anything but the last use of its token', async () => {
  const before = await everything()
  await sql(`update api_tokens set last_used_at = now() - interval '1 hour'`)
  for (const path of paths) expect((await server.api('GET', path)).status).toBe(200)
  expect(await everything()).toBe(before)
})

test('the last use of a token is written at most every 5 minutes', async () => {
  await sql(`update api_tokens set last_used_at = now() - interval '4 minutes 50 seconds'`)
  const before = await lastUsed()
  await server.api('GET', '/systems')
  expect(await lastUsed()).toEqual(before)
  await sql(`update api_tokens set last_used_at = now() - interval '5 minutes 10 seconds'`)
  await server.api('GET', '/systems')
  expect(Date.now() - Number(await lastUsed())).toBeLessThan(60_000)
})

test('a refused token is not used', async () => {
  const { body } = await server.api('POST', '/tokens', { body: { name: 'x', role: 'admin' } })
  await server.api('DELETE', `/tokens/${body.id}`)
  await server.api('GET', '/systems', { token: body.token })
  const rows = await sql<{ last_used_at: Date | null }>(
    `select last_used_at from api_tokens where id = ${body.id}`,
  )
  expect(rows).toEqual([{ last_used_at: null }])
})

test('reads are answered by a database that takes no writes', async () => {
  await server.api('GET', '/systems')
  await sql('update api_tokens set last_used_at = now()')
  await setReadOnly('on')
  try {
    for (const path of paths) expect([path, (await server.api('GET', path)).status]).toEqual([path, 200])
    expect((await server.api('POST', '/systems', { body: { hostname: 'x' } })).status).toBe(503)
  } finally {
    await setReadOnly('off')
  }
})

/** For connections that are made later: those of before are ended. */
async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  const database = server.connection.name
  await withClient({ ...server.connection, name: 'postgres' }, 'test', async (client) => {
    await client.query(`alter database ${database} set default_transaction_read_only = ${value}`)
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      database,
    ])
  })
  // until the server has noticed that its idle connections are gone
  await waitFor(async () => (await server.api('GET', '/systems')).status === 200)
}

const get = (path: string, etag?: string) =>
  server.api('GET', path, etag === undefined ? {} : { headers: { 'if-none-match': etag } })

describe('ETag', () => {
  test('every read has one, and is 304 without a body for who has it', async () => {
    for (const path of paths) {
      const first = await get(path)
      const etag = first.headers.get('etag') ?? ''
      expect([path, etag]).toEqual([path, expect.stringMatching(/^W\/".+"$/)])
      expect(first.headers.get('cache-control')).toBe('private, no-cache')
      const again = await get(path, etag)
      expect([path, again.status, again.body, again.headers.get('etag')]).toEqual([path, 304, null, etag])
    }
  })

  test.each([
    ['a list', (etag: string) => `"a", ${etag}, "b"`],
    ['the strong form', (etag: string) => etag.replace('W/', '')],
    ['any', () => '*'],
  ])('If-None-Match may be %s', async (_name, header) => {
    const etag = (await get('/systems/web1')).headers.get('etag') ?? ''
    expect((await get('/systems/web1', header(etag))).status).toBe(304)
  })

  test('what changed is answered in full, with another one', async () => {
    const etag = (await get('/systems/web1')).headers.get('etag') ?? ''
    agent.state.fingerprint.software.nixos_version = '26.05'
    await agent.report()
    const reply = await get('/systems/web1', etag)
    expect(reply.status).toBe(200)
    expect(reply.headers.get('etag')).not.toBe(etag)
  })

  test('refusals and changes have none, and are never 304', async () => {
    const refused = await server.api('GET', '/systems', { token: null, headers: { 'if-none-match': '*' } })
    expect([refused.status, refused.headers.get('etag')]).toEqual([401, null])
    const missing = await get('/systems/nope', '*')
    expect([missing.status, missing.headers.get('etag')]).toEqual([404, null])
    const made = await server.api('POST', '/tokens', {
      body: { name: 'x', role: 'viewer' },
      headers: { 'if-none-match': '*' },
    })
    expect([made.status, made.headers.get('etag'), made.headers.get('cache-control')]).toEqual([
      201,
      null,
      'no-store',
    ])
  })
})
