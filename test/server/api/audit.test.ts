import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeAs, recordChange } from '../../../src/store/audit.ts'
import { createTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

interface Entry {
  id: number
  at: string
  actor: { kind: string; name: string }
  action: string
  subject: { kind: string; name: string }
}

/** What a name may hold at worst, for a log, a page, a spreadsheet and a terminal. */
const HOSTILE = `=cmd|'/C calc'!A0\r\n"2026-01-01","admin" <script>alert(1)</script>\u202E\u001b[2J`

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const list = async (query: string): Promise<Entry[]> => {
  const { status, body } = await server.api('GET', `/audit?${query}`)
  expect([query, status]).toEqual([query, 200])
  return body.records
}
const csv = async (query: string) => {
  const response = await fetch(`${server.url}/api/v1/audit?format=csv&${query}`, {
    headers: { authorization: `Bearer ${server.adminToken}` },
  })
  return { headers: response.headers, text: await response.text() }
}

/** Records of somebody who added a flake of each name. */
const record = (actor: string, names: readonly string[]) =>
  changeAs(
    server.database.db,
    { kind: 'user', id: '1', name: actor, role: 'operator', address: '2001:db8::1' },
    async (transaction) => {
      for (const [id, name] of names.entries())
        await recordChange(transaction, {
          action: 'flake.add',
          subject: { kind: 'flake', id, name },
          before: null,
          after: { url: name },
        })
    },
  )

describe('GET /audit', () => {
  test('gives pages, the newest first, without a gap or a repetition', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `flake ${index}`)
    await record('pager', names)
    const seen: Entry[] = []
    let next: string | null = ''
    while (next !== null) {
      const after: string = next === '' ? '' : `&after=${next}`
      const { body } = await server.api('GET', `/audit?actor=pager&limit=10${after}`)
      expect(body.records.length).toBeLessThanOrEqual(10)
      seen.push(...body.records)
      next = body.next
      // a page that is read meanwhile does not move
      await record('somebody else', ['another'])
    }
    expect(seen.map((entry) => entry.subject.name)).toEqual(names.toReversed())
  })

  test('is filtered by actor, action, subject and time', async () => {
    await record('alice', ['one', 'two'])
    await server.api('POST', '/systems', { body: { hostname: 'Web9' } })
    await server.api('PUT', '/systems/web9/archived')
    const subjects = async (query: string) => (await list(query)).map(({ subject }) => subject.name)
    expect(await subjects('actor=alice')).toEqual(['two', 'one'])
    expect(await subjects('actor=alice&subject=one')).toEqual(['one'])
    expect((await list('subject=wEB9')).map(({ action }) => action)).toEqual(['system.archive', 'system.add'])
    expect(await subjects('action=system.archive')).toEqual(['Web9'])
    expect(await subjects('action=flake.add&actor=a')).toEqual([])
    const [{ at } = { at: '' }] = await list('subject=two')
    const after = new Date(Date.parse(at) + 1).toISOString()
    expect(await subjects(`actor=alice&from=${at}&to=${after}`)).toEqual(['two', 'one'])
    expect(await subjects(`actor=alice&to=${at}`)).toEqual([])
    expect(await subjects(`actor=alice&from=${after}`)).toEqual([])
  })

  test.each([
    'actor=',
    'action=system.explode',
    'from=yesterday',
    'to=2026-02-31T00:00:00Z',
    'after=0',
    "after=1' or true",
    'limit=0',
    'format=xml',
    'actors=alice',
  ])('refuses %s', async (query) => {
    const { status, body } = await server.api('GET', `/audit?${query}`)
    expect([status, body.errors[0].path]).toEqual([422, `/querystring/${query.split('=')[0]}`])
  })

  test('is for admins alone', async () => {
    for (const role of ['viewer', 'operator'] as const)
      expect((await server.api('GET', '/audit', { token: await server.createToken(role) })).status).toBe(403)
  })
})

describe('as CSV', () => {
  test('is all that passes the filter, a record a line', async () => {
    await record(
      'exporter',
      Array.from({ length: 2345 }, (_, index) => `row-${index}`),
    )
    const { headers, text } = await csv('actor=exporter')
    expect(headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/)
    expect(headers.get('content-disposition')).toBe('attachment; filename="audit.csv"')
    const lines = text.split('\r\n')
    expect(lines[0]).toBe(
      'id,at,actor_kind,actor_id,actor,role,address,action,subject_kind,subject_id,subject,before,after',
    )
    expect(lines).toHaveLength(2347)
    expect(lines[1]).toMatch(
      /^\d+,20[^,]+Z,user,1,exporter,operator,2001:db8::1,flake\.add,flake,2344,row-2344,,"\{""url"":""row-2344""\}"$/,
    )
    expect(lines.at(-1)).toBe('')
  })

  test('makes no formula, line or column of what a name holds', async () => {
    await record('+hostile', [HOSTILE, '\t=1+1', '＝1', '-2', '@SUM(1)', ' =1', 'harmless'])
    const { text } = await csv('actor=%2Bhostile')
    expect(text.match(/'＝1|'-2|'@SUM|'\t=1|' =1/g)).toHaveLength(5)
    expect(text).toContain(`"'=cmd|'/C calc'!A0\r\n""2026-01-01"",""admin"" <script>`)
    expect(text.match(/'\+hostile/g)).toHaveLength(7)
    expect(text).not.toMatch(/(^|,)"?\s*[=+@-]/m)
  })
})

test('what a name holds stays data', async () => {
  await server.api('POST', '/tokens', { body: { name: HOSTILE, role: 'viewer' } })
  const [entry] = await list(`subject=${encodeURIComponent(HOSTILE)}`)
  expect(entry).toMatchObject({ action: 'token.create', subject: { kind: 'token', name: HOSTILE } })
})

test('an agent that enrols leaves a record of its key and of what it used, and none when it asks again', async () => {
  const { body } = await server.api('POST', '/enroll-tokens', { body: { name: 'rack 1' } })
  const agent = createTestAgent(server, { hostname: 'enrolled' })
  await agent.enroll(body.token)
  await agent.enroll(body.token)
  const actor = { kind: 'agent', id: agent.key.id, name: 'enrolled', role: null, address: '127.0.0.1' }
  expect(await list('subject=enrolled')).toMatchObject([
    {
      actor,
      action: 'key.enroll',
      subject: { kind: 'key', id: agent.key.id },
      after: { status: 'active', enroll_token: 'rack 1', uses_left: 0 },
    },
    { actor, action: 'system.add', subject: { kind: 'system' } },
  ])
})

test('of two who make the same change at once one has made it', async () => {
  await server.api('POST', '/systems', { body: { hostname: 'contended' } })
  await Promise.all(Array.from({ length: 8 }, () => server.api('PUT', '/systems/contended/archived')))
  expect(await list('subject=contended&action=system.archive')).toHaveLength(1)
})

test('a subject is found by its name, also with letters that are not ASCII', async () => {
  await server.api('POST', '/enroll-tokens', { body: { name: 'Émile' } })
  expect(await list(`subject=${encodeURIComponent('Émile')}`)).toMatchObject([{ subject: { name: 'Émile' } }])
})
