import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ActivityEntry } from '../../../src/server/routes/activity.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch, shaOf } from '../../support/evaluated.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const read = async (query = ''): Promise<{ entries: ActivityEntry[]; next: number | null }> =>
  (await server.api('GET', `/fleet/activity${query}`)).body

const forget = () => sql`delete from events`.execute(server.database.db)

test('an empty fleet has none', async () => {
  expect(await read()).toEqual({ entries: [], next: null })
})

test('flags, drift, pushes and evaluations are told newest first with the names of what they are of; reports are not', async () => {
  const { db } = server.database
  const flakeId = await addTestFlake(db, { url: 'git+https://example.org/fleet' })
  const [commit] = await moveTestBranch(db, flakeId, ['one'])
  await evaluateTestCommit(db, commit!, { web1: 'one' })
  const agent = await registerTestAgent(server, { hostname: 'web1' })
  agent.state.system!.reboot_needed = []
  await agent.report()
  await agent.report({ spool_failed: true })
  const { entries, next } = await read()
  expect(next).toBeNull()
  expect(entries.map(({ kind }) => kind)).toEqual(['flag_raised', 'drift', 'evaluation', 'head'])
  const [flag, drift, evaluation, head] = entries
  expect(flag).toMatchObject({
    systems: 1,
    hostnames: ['web1'],
    flake: null,
    details: { flag: 'spool_failed' },
  })
  expect(drift).toMatchObject({ hostnames: ['web1'], details: { from: 'no_report', to: 'unassigned' } })
  // of one system: everything there is
  expect(drift?.details).toHaveProperty('running_path')
  expect(evaluation).toMatchObject({
    systems: 0,
    hostnames: [],
    flake: { id: flakeId, url: 'git+https://example.org/fleet', branch: 'main' },
    commit: { sha: shaOf('one'), subject: 'subject of one' },
    details: { status: 'evaluated', succeeded: 1 },
  })
  expect(head).toMatchObject({ commit: { sha: shaOf('one') }, details: { to: shaOf('one'), forced: false } })
})

test('what one change does to many systems is one entry', async () => {
  const { db } = server.database
  for (let n = 0; n < 8; n += 1) await registerTestAgent(server, { hostname: `many${n}` })
  await forget()
  await sql`update drift set state = 'behind', standing = 'behind'
    where system_id in (select id from systems where hostname like 'many%')`.execute(db)
  await sql`update drift set state = 'in_sync', standing = 'in_sync'
    where system_id in (select id from systems where hostname in ('many1', 'many2'))`.execute(db)
  const { entries } = await read()
  expect(entries).toMatchObject([
    { kind: 'drift', systems: 2, details: { from: 'behind', to: 'in_sync' } },
    { kind: 'drift', systems: 8, details: { from: 'no_report', to: 'behind' } },
  ])
  expect(entries[0]?.hostnames.toSorted()).toEqual(['many1', 'many2'])
  expect(entries[1]?.hostnames).toHaveLength(5)
  expect(entries[1]?.details).toEqual({ from: 'no_report', to: 'behind' })
})

test.each([1, 2, 3, 7])('pages of %i have every entry once, in order', async (limit) => {
  const { db } = server.database
  await forget()
  for (let n = 0; n < 7; n += 1)
    await sql`update drift set state = ${n % 2 === 0 ? 'behind' : 'in_sync'}, standing = ${n % 2 === 0 ? 'behind' : 'in_sync'}
      where system_id in (select id from systems where hostname like 'many%')`.execute(db)
  const all = (await read()).entries
  const found: ActivityEntry[] = []
  for (let after: number | null = 0; after !== null;) {
    const page = await read(`?limit=${limit}${after === 0 ? '' : `&after=${after}`}`)
    found.push(...page.entries)
    after = page.next
  }
  expect(found).toEqual(all)
})

test('more events of one change than are read at once go on in the next page', async () => {
  await forget()
  await sql`insert into events (kind, system_id, details)
    select 'drift', (select id from systems where hostname = 'web1'), '{"from": "behind", "to": "in_sync"}'
    from generate_series(1, 1500)`.execute(server.database.db)
  const first = await read()
  expect(first.entries.map(({ systems }) => systems)).toEqual([1000])
  const second = await read(`?after=${first.next}`)
  expect(second.entries.map(({ systems }) => systems)).toEqual([500])
  expect(second.next).toBeNull()
})

test.each(['?limit=0', '?after=0', '?after=x', '?before=1'])('%s is refused', async (query) => {
  expect((await server.api('GET', `/fleet/activity${query}`)).status).toBe(422)
})
