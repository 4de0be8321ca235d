import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DRIFT_STATES, type DriftState } from '../../../src/fleet/drift.ts'
import { createStoreView } from '../../support/store-view.ts'
import { STORE_PATH } from '../../support/messages.ts'
import { registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const OTHER = STORE_PATH.replace('0c4b', '1c4b')

const get = async (path: string) => (await server.api('GET', path)).body
const change = (hostname: string, body: object) => server.api('PATCH', `/systems/${hostname}`, { body })

/** A system that reported `STORE_PATH` and has to run `pinned`. */
async function addPinned(hostname: string, pinned: string): Promise<TestAgent> {
  const agent = await registerTestAgent(server, { hostname })
  await agent.report()
  expect((await change(hostname, { pinned_path: pinned })).status).toBe(204)
  return agent
}

/** Puts a drift row as if it had been judged so. */
async function put(hostname: string, standing: DriftState, since: string, state = standing): Promise<void> {
  await sql`update drift set state = ${state}, standing = ${standing}, since = ${since}, standing_since = ${since}
    where system_id = (select id from systems where hostname = ${hostname})`.execute(server.database.db)
}

describe('what has to run', () => {
  test('a change is judged at once, and told in full', async () => {
    const agent = await addPinned('pin1', STORE_PATH)
    const { drift, pinned_path } = await get('/systems/pin1')
    expect(pinned_path).toBe(STORE_PATH)
    expect(drift).toEqual({
      state: 'in_sync',
      since: expect.any(String),
      standing: 'in_sync',
      standing_since: drift.since,
      reason: null,
      running_path: STORE_PATH,
      desired_path: STORE_PATH,
      running_commit: null,
      desired_commit: null,
      head_commit: null,
      specialisation: null,
      configuration: null,
      commits_behind: null,
      commits_unknown: null,
      embeds_revision: null,
    })
    await change('pin1', { pinned_path: OTHER })
    expect((await get('/systems/pin1')).drift).toMatchObject({
      state: 'pinned_mismatch',
      desired_path: OTHER,
    })
    agent.state.system!.current = OTHER
    await agent.report()
    expect((await get('/systems/pin1')).drift).toMatchObject({ state: 'in_sync', running_path: OTHER })
  })

  test('what is not given stays, and null takes away', async () => {
    const url = 'git+https://example.org/fleet?ref=main'
    await server.api('POST', '/systems', { body: { hostname: 'part1', environment: 'lab' } })
    await change('part1', { flake_url: url, configuration: 'conf' })
    const first = await get('/systems/part1')
    expect(first).toMatchObject({ environment: 'lab', flake_url: url, branch: 'main', configuration: 'conf' })
    await change('part1', { configuration: null, environment: null })
    const second = await get('/systems/part1')
    expect(second).toMatchObject({ environment: null, flake_url: url, configuration: null })
    expect(Date.parse(second.assigned_at)).toBeGreaterThan(Date.parse(first.assigned_at))
    await change('part1', { environment: 'prod' })
    expect((await get('/systems/part1')).assigned_at).toBe(second.assigned_at)
    await change('part1', { flake_url: null })
    expect(await get('/systems/part1')).toMatchObject({ flake_id: null, flake_url: null, branch: null })
    expect((await get(`/systems?flake=${first.flake_id}`)).total).toBe(0)
  })

  test('a system without anything is unassigned once it reports', async () => {
    const agent = await registerTestAgent(server, { hostname: 'free1' })
    expect((await get('/systems/free1')).drift).toMatchObject({ state: 'no_report' })
    await agent.report()
    expect((await get('/systems/free1')).drift).toMatchObject({
      state: 'unassigned',
      running_path: STORE_PATH,
    })
  })

  test('names the commits that decide it', async () => {
    const agent = await registerTestAgent(server, { hostname: 'git1' })
    await agent.report()
    await change('git1', { flake_url: 'git+https://example.org/git1' })
    await recordBranchOf('git1', [OTHER, STORE_PATH, OTHER])
    await change('git1', { configuration: 'git1' })
    const { drift, flake_id } = await get('/systems/git1')
    expect(drift).toMatchObject({
      state: 'behind',
      commits_behind: 1,
      commits_unknown: 0,
      running_path: STORE_PATH,
      desired_path: OTHER,
      running_commit: { flake_id, sha: '1'.repeat(40), subject: 'commit 1', position: 1 },
      desired_commit: { sha: '2'.repeat(40), subject: 'commit 2', position: 2 },
      head_commit: { sha: '2'.repeat(40), position: 2 },
      embeds_revision: true,
    })
  })

  test('of an archived system is kept and changed, and it is not judged until it is back', async () => {
    await addPinned('old1', OTHER)
    await server.api('PUT', '/systems/old1/archived')
    expect((await change('old1', { pinned_path: STORE_PATH })).status).toBe(204)
    expect(await get('/systems/old1')).toMatchObject({ registration: 'archived', drift: null })
    expect((await get('/systems?registration=archived')).systems).toMatchObject([
      { hostname: 'old1', drift: null },
    ])
    await server.api('DELETE', '/systems/old1/archived')
    expect((await get('/systems/old1')).drift).toMatchObject({ state: 'in_sync' })
  })

  test('a declared system is changed in its configuration', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'declared1' } })
    await sql`update systems set declared = true where hostname = 'declared1'`.execute(server.database.db)
    const reply = await change('declared1', { environment: 'x' })
    expect([reply.status, reply.body.type]).toEqual([403, 'urn:crystal-forge:problem:read-only'])
    expect((await get('/systems/declared1')).environment).toBeNull()
    await sql`update systems set declared = false where hostname = 'declared1'`.execute(server.database.db)
    expect((await change('nope', { environment: 'x' })).status).toBe(404)
  })

  test.each([
    [{}, '/body'],
    [{ hostname: 'x' }, '/body/hostname'],
    [{ declared: false }, '/body/declared'],
    [{ environment: '' }, '/body/environment'],
    [{ environment: 5 }, '/body/environment'],
    [{ configuration: 'x'.repeat(257) }, '/body/configuration'],
    [{ pinned_path: '/etc/passwd' }, '/body/pinned_path'],
    [{ pinned_path: `${STORE_PATH}/bin/sh` }, '/body/pinned_path'],
    [{ flake_url: 'git+https://example.org/x --upload-pack=id' }, '/body/flake_url'],
    [{ flake_url: '-oProxyCommand=id' }, '/body/flake_url'],
    [{ flake_url: 'git+https://user:secret@example.org/x' }, '/body/flake_url'],
    [{ flake_url: 'git+https://example.org/x#attr' }, '/body/flake_url'],
    [{ environment: 'a\0b' }, '/environment'],
    [[], '/body'],
    [null, '/body'],
  ])('%j is refused at %s, and nothing is changed', async (body, path) => {
    await server.api('POST', '/systems', { body: { hostname: 'still' } })
    const before = await get('/systems/still')
    const reply = await server.api('PATCH', '/systems/still', { body })
    expect([reply.status, reply.body.errors?.[0]?.path]).toEqual([422, path])
    expect(JSON.stringify(reply.body)).not.toContain('secret')
    expect(await get('/systems/still')).toEqual(before)
  })

  test('the address of a flake that is none is refused for a new system too', async () => {
    const reply = await server.api('POST', '/systems', { body: { hostname: 'bad1', flake_url: 'nonsense' } })
    expect([reply.status, reply.body.errors?.[0]?.path]).toEqual([422, '/body/flake_url'])
  })
})

async function pages(query: string, limit: number): Promise<string[]> {
  const names: string[] = []
  for (let after: string | null = ''; after !== null;) {
    const cursor: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`
    const page: { systems: { hostname: string }[]; total: number; next: string | null } = await get(
      `/systems?${query}&limit=${limit}${cursor}`,
    )
    names.push(...page.systems.map(({ hostname }) => hostname))
    after = page.next
    if (after === null) expect(page.total).toBe(names.length)
  }
  return names
}

const countsOf = (counts: object) => ({
  ...Object.fromEntries(DRIFT_STATES.map((state) => [state, 0])),
  ...counts,
})

describe('the list', () => {
  const STANDINGS: readonly [string, DriftState, string, DriftState?][] = [
    ['s1', 'behind', '2026-01-03T00:00:00.000001Z'],
    ['s2', 'behind', '2026-01-03T00:00:00.000002Z', 'pending'],
    ['s3', 'unmanaged', '2026-01-05T00:00:00Z'],
    ['s4', 'in_sync', '2026-01-01T00:00:00Z', 'evaluation_failed'],
    ['s5', 'in_sync', '2026-01-02T00:00:00Z'],
    ['s6', 'behind', '2026-01-03T00:00:00.000001Z'],
    ['s7', 'no_report', '2025-01-01T00:00:00Z'],
  ]

  beforeAll(async () => {
    const { body } = await server.api('GET', '/systems')
    for (const { hostname } of body.systems) await server.api('PUT', `/systems/${hostname}/archived`)
    for (const [hostname, standing, since, state] of STANDINGS) {
      await server.api('POST', '/systems', { body: { hostname } })
      await put(hostname, standing, since, state)
    }
  })

  test.each([
    ['sort=hostname', ['s1', 's2', 's3', 's4', 's5', 's6', 's7']],
    ['sort=drift', ['s3', 's1', 's6', 's2', 's7', 's4', 's5']],
    ['sort=since', ['s7', 's4', 's5', 's1', 's6', 's2', 's3']],
    ['sort=last_contact', ['s1', 's2', 's3', 's4', 's5', 's6', 's7']],
    ['sort=drift&standing=behind', ['s1', 's6', 's2']],
    ['sort=since&standing=in_sync', ['s4', 's5']],
    ['drift=pending', ['s2']],
    ['drift=behind', ['s1', 's6']],
    ['drift=in_sync&sort=since', ['s5']],
    ['standing=off_branch', []],
  ])('%s is in that order in pages of any size', async (query, names) => {
    for (const limit of [1, 2, 3, 100]) expect(await pages(query, limit)).toEqual(names)
  })

  test('by last contact has the longest silent first, those never heard of before all', async () => {
    for (const hostname of ['heard2', 'heard1']) {
      const agent = await registerTestAgent(server, { hostname })
      await agent.report()
    }
    const row = await sql<{ id: number }>`select id from systems where hostname = 'heard1'`.execute(
      server.database.db,
    )
    await createStoreView(server.database.db).age({ systemId: row.rows[0]?.id ?? 0 }, 3600)
    expect((await pages('sort=last_contact', 2)).slice(-3)).toEqual(['s7', 'heard1', 'heard2'])
    for (const hostname of ['heard1', 'heard2']) await server.api('PUT', `/systems/${hostname}/archived`)
  })

  test('the summary counts by state and by standing', async () => {
    const { drift, standing, systems } = await get('/fleet/summary')
    expect(systems).toBe(STANDINGS.length)
    expect(drift).toEqual(
      countsOf({ behind: 2, unmanaged: 1, in_sync: 1, no_report: 1, pending: 1, evaluation_failed: 1 }),
    )
    expect(standing).toEqual(countsOf({ behind: 3, unmanaged: 1, in_sync: 2, no_report: 1 }))
  })

  test('the index of the worst has the order of the rule', async () => {
    const { rows } = await sql<{ definition: string }>`
      select pg_get_indexdef('drift_worst'::regclass) as definition`.execute(server.database.db)
    expect([...(rows[0]?.definition ?? '').matchAll(/'(\w+)'/g)].map(([, state]) => state)).toEqual(
      DRIFT_STATES,
    )
  })
})

/** Commits 0, 1, … of a system's flake, each with what it evaluates to for the system. */
async function recordBranchOf(hostname: string, paths: readonly string[]): Promise<void> {
  const { db } = server.database
  const { flake_id: flakeId } = await get(`/systems/${hostname}`)
  for (const [position, path] of paths.entries())
    await sql`
      with added as (
        insert into commits (flake_id, sha, position, subject, status)
        values (${flakeId}, ${String(position).repeat(40)}, ${position}, ${`commit ${position}`}, 'evaluated')
        returning id
      ), evaluated as (
        insert into evaluations (commit_id, configuration, status, drv_path, out_path, embeds_revision, duration_ms, nix_version)
        select id, ${hostname}, 'succeeded', ${`${path}.drv`}, ${path}, true, 1, '2.8' from added
        returning id, configuration
      ), head as (update flakes set head_commit_id = added.id from added where flakes.id = ${flakeId})
      insert into evaluated_paths (evaluation_id, configuration, specialisation, out_path)
        select id, configuration, '', ${path} from evaluated`.execute(db)
}
