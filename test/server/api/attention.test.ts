import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ATTENTION_KINDS } from '../../../src/fleet/attention.ts'
import { type Flag, FLAGS } from '../../../src/fleet/flags.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch, pathOf, shaOf } from '../../support/evaluated.ts'
import { createTestAgent, registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const read = async (query = '') => (await server.api('GET', `/fleet/attention${query}`)).body

/** A system that reported, without anything that needs somebody but what `change` makes. */
async function addSystem(hostname: string, change: Record<string, unknown> = {}): Promise<number> {
  const agent = await registerTestAgent(server, { hostname })
  agent.state.system!.reboot_needed = []
  await agent.report()
  const { db } = server.database
  const { id } = await db
    .selectFrom('systems')
    .select('id')
    .where('hostname', '=', hostname)
    .executeTakeFirstOrThrow()
  if (Object.keys(change).length > 0)
    await db.updateTable('drift').set(change).where('system_id', '=', id).execute()
  return id
}

const standing = (state: string, since = '2026-01-01T00:00:00Z') => ({
  state,
  standing: state,
  since: new Date(since),
  standing_since: new Date(since),
})

const raise = (systemId: number, flag: Flag, since: string, details: object = {}) =>
  server.database.db
    .insertInto('flags')
    .values({ system_id: systemId, flag, since: new Date(since), details: JSON.stringify(details) })
    .execute()

test('a fleet in which all is well needs nobody', async () => {
  await addSystem('fine')
  await addSystem('in-order', standing('in_sync'))
  await addSystem('just-behind', standing('behind', new Date(Date.now() - 23 * 3_600_000).toISOString()))
  expect(await read()).toEqual({ items: [], kinds: [], total: 0 })
})

test('every kind is told with its rank, the worst first, with since when and the facts that decide it', async () => {
  const { db } = server.database
  const flakeId = await addTestFlake(db, { url: 'git+https://example.org/fleet' })
  const [good, bad] = await moveTestBranch(db, flakeId, ['good', 'bad'])
  await evaluateTestCommit(db, good!, { broken: 'broken' })
  await evaluateTestCommit(db, bad!, { broken: { cause: 'throw', error: 'error: no' } })

  await addSystem('lost', {
    ...standing('unmanaged', '2026-03-01T00:00:00Z'),
    running_path: pathOf('x'),
    desired_path: pathOf('good'),
    desired_commit_id: good!.id,
  })
  await addSystem('wrong', { ...standing('wrong_configuration'), configuration: 'other' })
  await addSystem('off', standing('off_branch'))
  await addSystem('pinned', standing('pinned_mismatch'))
  await addSystem('slow', { ...standing('behind'), commits_behind: 7, commits_unknown: 1 })
  await addSystem('broken', {
    ...standing('evaluation_failed'),
    standing: 'in_sync',
    head_commit_id: bad!.id,
  })
  const flagged = await addSystem('flagged')
  for (const [index, flag] of FLAGS.entries())
    await raise(flagged, flag, `2026-02-0${index + 1}T00:00:00Z`, { parts: ['kernel'] })
  for (const [hostname, silence] of [
    ['quiet', '5 minutes'],
    ['dead', '3 days'],
  ] as const) {
    const id = await addSystem(hostname)
    await sql`update contacts set last_contact = now() - ${silence}::interval where system_id = ${id}`.execute(
      db,
    )
  }
  await server.api('POST', '/systems', { body: { hostname: 'unborn' } })
  const { body } = await server.api('POST', '/enroll-tokens', { body: { name: 'x', needs_approval: true } })
  await createTestAgent(server, { hostname: 'waiting' }).enroll(body.token)
  await sql`update contacts set last_contact = now() where system_id = (select id from systems where hostname = 'waiting')`.execute(
    db,
  )
  await addTestFlake(db, { url: 'git+https://example.org/gone' })
  await sql`update flakes set synced_at = '2026-01-05', sync_failed_at = '2026-01-06', sync_error = 'no such host'
    where url like '%gone'`.execute(db)

  const { items, kinds, total } = await read()
  expect(kinds.map(({ kind }: { kind: string }) => kind)).toEqual(ATTENTION_KINDS)
  expect(items.map(({ kind }: { kind: string }) => kind)).toEqual(ATTENTION_KINDS)
  expect(total).toBe(ATTENTION_KINDS.length)
  const of = (kind: string) => items.find((item: { kind: string }) => item.kind === kind)
  expect(of('identity_conflict')).toEqual({
    kind: 'identity_conflict',
    severity: 'critical',
    rank: 1,
    since: expect.stringMatching(/^2026-02-/),
    hostname: 'flagged',
    environment: null,
    flake: null,
    details: { parts: ['kernel'] },
  })
  expect(of('unmanaged')).toMatchObject({
    hostname: 'lost',
    since: '2026-03-01T00:00:00.000Z',
    details: { running_path: pathOf('x'), desired_path: pathOf('good'), desired_commit: shaOf('good') },
  })
  expect(of('wrong_configuration').details).toEqual({
    configuration: 'other',
    running_path: expect.any(String),
  })
  expect(of('behind').details).toMatchObject({ commits_behind: 7, commits_unknown: 1 })
  expect(of('evaluation_failed')).toMatchObject({ hostname: 'broken' })
  expect(of('offline')).toMatchObject({ hostname: 'dead', details: {} })
  expect(Date.now() - Date.parse(of('offline').since)).toBeGreaterThan(2 * 86_400_000)
  expect(of('late')).toMatchObject({ hostname: 'quiet', severity: 'notice' })
  expect(of('never_seen')).toMatchObject({ hostname: 'unborn', rank: ATTENTION_KINDS.length })
  expect(of('key_pending')).toMatchObject({ hostname: 'waiting', details: { keys: 1 } })
  expect(of('sync_failed')).toMatchObject({
    hostname: null,
    since: '2026-01-05T00:00:00.000Z',
    flake: { url: 'git+https://example.org/gone', branch: null },
    details: { error: 'no such host' },
  })
  expect(of('profile_mismatch').details).toHaveProperty('kind')
})

test('what the newest commit failed with is told by the cause and the evaluation', async () => {
  const { db } = server.database
  await sql`update systems set configuration = 'broken' where hostname = 'broken'`.execute(db)
  const { items } = await read()
  const failed = items.find(({ kind }: { kind: string }) => kind === 'evaluation_failed')
  expect(failed.details).toMatchObject({
    cause: 'throw',
    evaluation: expect.any(Number),
    head_commit: shaOf('bad'),
  })
})

test('many of one kind leave the others their place, the oldest come first, and all are counted', async () => {
  for (let day = 1; day <= 4; day += 1)
    await raise(await addSystem(`old${day}`), 'reboot_needed', `2025-01-0${5 - day}T00:00:00Z`)
  const { items, kinds } = await read('?each=2')
  const named = (kind: string) =>
    items
      .filter((item: { kind: string }) => item.kind === kind)
      .map(({ hostname }: { hostname: string }) => hostname)
  expect(named('reboot_needed')).toEqual(['old4', 'old3'])
  expect(named('never_seen')).toEqual(['unborn'])
  expect(kinds.find(({ kind }: { kind: string }) => kind === 'reboot_needed').count).toBe(5)
  expect((await read('?limit=3')).items).toHaveLength(3)
})

test('archived systems and flakes need nobody', async () => {
  const { systems } = (await server.api('GET', '/systems?limit=1000')).body
  for (const { hostname } of systems) await server.api('PUT', `/systems/${hostname}/archived`)
  await sql`update flakes set archived_at = now()`.execute(server.database.db)
  expect(await read()).toEqual({ items: [], kinds: [], total: 0 })
})

test('an archived system that enrols again waits for somebody to approve its key', async () => {
  const { body } = await server.api('POST', '/enroll-tokens', {
    body: { name: 'x', uses: 2, needs_approval: true },
  })
  await createTestAgent(server, { hostname: 'again' }).enroll(body.token)
  await server.api('PUT', '/systems/again/archived')
  expect((await read()).total).toBe(0)
  await createTestAgent(server, { hostname: 'again' }).enroll(body.token)
  const { items, total } = await read()
  expect(items).toMatchObject([{ kind: 'key_pending', hostname: 'again', details: { keys: 1 } }])
  expect(total).toBe(1)
})

test.each(['?each=0', '?each=101', '?limit=0', '?limit=1001', '?after=x'])('%s is refused', async (query) => {
  expect((await server.api('GET', `/fleet/attention${query}`)).status).toBe(422)
})
