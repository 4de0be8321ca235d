import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STORE_PATH } from '../../support/messages.ts'
import { registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer
let agent: TestAgent
const ids: (string | null)[] = []

beforeAll(async () => {
  server = await startTestServer()
  agent = await registerTestAgent(server)
  const report = async () => {
    await agent.report()
    ids.push(agent.reported)
  }
  await report()
  agent.state.fingerprint.software.nixos_version = '26.05'
  agent.state.system = { ...agent.state.system!, generation: 43, profile: STORE_PATH.replace('0c4b', '1c4b') }
  await report()
  // the same facts, as after an outage
  await report()
  agent.state.fingerprint.security.secure_boot = null
  await report()
})
afterAll(() => server.stop())

const get = async (path: string) => (await server.api('GET', `/systems/web1${path}`)).body

describe('changes of facts', () => {
  test('are told of each report that says something else than the one before', async () => {
    const { reports, next } = await get('/fact-changes')
    expect(next).toBeNull()
    expect(reports.map((each: { report_id: string }) => each.report_id)).toEqual([ids[3], ids[1]])
    expect(reports[0].changes).toEqual([
      { path: '/fingerprint/security/secure_boot', before: expect.any(Boolean), after: null },
    ])
    const paths = reports[1].changes.map(({ path }: { path: string }) => path)
    expect(paths.toSorted()).toEqual([
      '/fingerprint/software/nixos_version',
      '/system/generation',
      '/system/profile',
    ])
    expect(reports[1].changes.find(({ path }: { path: string }) => path.endsWith('version'))).toMatchObject({
      before: expect.any(String),
      after: '26.05',
    })
  })

  test('are the same page by page: the last report of a page is compared with the next', async () => {
    const found: string[] = []
    for (let after: string | null = ''; after !== null;) {
      const page = await get(`/fact-changes?limit=1${after === '' ? '' : `&after=${after}`}`)
      found.push(...page.reports.map((each: { report_id: string }) => each.report_id))
      after = page.next
    }
    expect(found).toEqual([ids[3], ids[1]])
  })
})

test('generations are told with when they were first and last reported', async () => {
  const { generations } = await get('/generations')
  expect(generations).toMatchObject([
    { generation: 43, profile: STORE_PATH.replace('0c4b', '1c4b'), report_id: ids[1] },
    { report_id: ids[0] },
  ])
  expect(Date.parse(generations[0].last_observed_at)).toBeGreaterThan(
    Date.parse(generations[0].first_observed_at),
  )
})

describe('periods of being online', () => {
  test('that reach into a time are told, with the one that lasts', async () => {
    const { db } = server.database
    await sql`insert into online_periods (system_id, started_at, ended_at)
      select id, t::timestamptz, t::timestamptz + interval '2 hours'
      from systems, unnest(array['2026-01-01T00:00Z', '2026-01-02T00:00Z', '2026-01-03T00:00Z']) t
      where hostname = 'web1'`.execute(db)
    const { periods } = await get('/online-periods?from=2026-01-01T01:00:00Z&to=2026-01-03T00:00:00Z')
    expect(periods.map(({ started_at }: { started_at: string }) => started_at)).toEqual([
      '2026-01-02T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
    ])
    const { periods: newest } = await get('/online-periods')
    expect(newest[0]).toMatchObject({ ended_at: null })
  })

  test('of a day that does not exist are refused', async () => {
    const { status, body } = await server.api('GET', '/systems/web1/online-periods?from=2026-02-30T00:00:00Z')
    expect([status, body.errors[0].path]).toEqual([422, '/querystring/from'])
  })
})

test.each(['fact-changes', 'generations', 'online-periods'])(
  '%s of no system are not found',
  async (what) => {
    expect((await server.api('GET', `/systems/nope/${what}`)).status).toBe(404)
  },
)
