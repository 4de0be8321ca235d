import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { markRunning, recordContents } from '../../../src/store/commit-runs.ts'
import { addFlake } from '../../../src/store/flakes.ts'
import {
  addTestFlake,
  evaluateTestCommit,
  moveTestBranch,
  pathOf,
  shaOf,
  type TestCommit,
} from '../../support/evaluated.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const URL = 'git+https://example.org/fleet'
const BROKEN = { cause: 'throw', error: 'error: no' }

let server: TestServer
let flakeId: number
let commits: TestCommit[]

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.database
  flakeId = await addTestFlake(db, { url: URL })
  commits = await moveTestBranch(db, flakeId, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'])
})
afterAll(() => server.stop())

const get = async (path: string) => (await server.api('GET', path)).body
const evaluate = (index: number, results: Parameters<typeof evaluateTestCommit>[2]) =>
  evaluateTestCommit(server.database.db, commits[index]!, results)

async function addSystem(hostname: string, settings: object = {}) {
  const agent = await registerTestAgent(server, { hostname })
  await server.api('PATCH', `/systems/${hostname}`, { body: { flake_url: URL, ...settings } })
  return agent
}

const change = (configuration: string, kind: string, before: string | null, after: string | null) => ({
  configuration,
  change: kind,
  before: before === null ? null : pathOf(before),
  after: after === null ? null : pathOf(after),
  systems: 0,
  hostnames: [],
})

const desired = (hostname: string) => get(`/systems/${hostname}/desired-commits`)

describe('what a commit changes', () => {
  test('is told by configuration with both paths, and the systems that have it', async () => {
    await evaluate(0, { a: 'a0', b: 'b0', broke: 'x0', fixed: BROKEN, gone: 'g0', same: 's0', bad: BROKEN })
    await evaluate(1, { a: 'a1', b: 'b1', broke: BROKEN, fixed: 'f1', fresh: 'n1', same: 's0', bad: BROKEN })
    await addSystem('a')
    await addSystem('b-twin', { configuration: 'b' })
    await addSystem('b')
    await addSystem('same')
    await addSystem('pinned', { configuration: 'a', pinned_path: pathOf('other') })
    expect(await get(`/commits/${shaOf('c1')}/changes`)).toEqual({
      previous: { sha: shaOf('c0'), subject: 'subject of c0', status: 'evaluated' },
      known: true,
      counts: { changed: 2, added: 1, removed: 1, broken: 1, repaired: 1 },
      systems: 3,
      changes: [
        { ...change('a', 'changed', 'a0', 'a1'), systems: 1, hostnames: ['a'] },
        { ...change('b', 'changed', 'b0', 'b1'), systems: 2, hostnames: ['b', 'b-twin'] },
        change('broke', 'broken', 'x0', null),
        change('fixed', 'repaired', null, 'f1'),
        change('fresh', 'added', null, 'n1'),
        change('gone', 'removed', 'g0', null),
      ],
      next: null,
    })
    expect((await get(`/commits/${shaOf('c1')}`)).changed).toBe(2)
  })

  test.each([1, 2, 4, 6])('comes in pages of %i with the counts of all', async (limit) => {
    const names: string[] = []
    for (let after: string | null = ''; after !== null;) {
      const page = await get(
        `/commits/${shaOf('c1')}/changes?limit=${limit}${after === '' ? '' : `&after=${after}`}`,
      )
      expect(page.counts.changed).toBe(2)
      names.push(...page.changes.map(({ configuration }: { configuration: string }) => configuration))
      after = page.next
    }
    expect(names).toEqual(['a', 'b', 'broke', 'fixed', 'fresh', 'gone'])
  })

  test('is not known before both are evaluated, nor of the first commit', async () => {
    const counts = { changed: 0, added: 0, removed: 0, broken: 0, repaired: 0 }
    const unknown = { known: false, counts, systems: 0, changes: [], next: null }
    expect(await get(`/commits/${shaOf('c2')}/changes`)).toEqual({
      ...unknown,
      previous: { sha: shaOf('c1'), subject: 'subject of c1', status: 'evaluated' },
    })
    expect(await get(`/commits/${shaOf('c0')}/changes`)).toEqual({ ...unknown, previous: null })
    expect((await server.api('GET', `/commits/${shaOf('nope')}/changes`)).status).toBe(404)
  })
})

test('a commit that is evaluated tells how far that is, and which is before it', async () => {
  const { db } = server.database
  expect((await get(`/commits/${shaOf('c1')}`)).progress).toBeNull()
  await markRunning(db, commits[3]!.id, '2.8.0')
  expect(await get(`/commits/${shaOf('c3')}`)).toMatchObject({
    previous: { sha: shaOf('c2') },
    progress: { done: 0, new: 0, total: null },
  })
  await evaluate(3, { a: 'a3', b: 'b3' })
  await markRunning(db, commits[3]!.id, '2.8.0')
  await recordContents(db, commits[3]!.id, { configurations: 5, inputs: [] })
  await sql`update evaluations set evaluated_at = now() + interval '1 second'
    where commit_id = ${commits[3]!.id} and configuration = 'a'`.execute(db)
  expect((await get(`/commits/${shaOf('c3')}`)).progress).toEqual({ done: 2, new: 1, total: 5 })
  await sql`update commits set status = 'evaluated' where id = ${commits[3]!.id}`.execute(db)
})

describe('the commits between what a system runs and what it should run', () => {
  test('are told newest first, with whether each changes it', async () => {
    await evaluate(2, { a: 'a1' })
    await evaluate(3, { a: 'a3' })
    await evaluate(5, { a: 'a5' })
    const agent = await addSystem('late', { configuration: 'a' })
    agent.state.system!.current = pathOf('a0')
    await agent.report()
    const { commits: found, total, changing } = await desired('late')
    expect([total, changing]).toEqual([5, 3])
    expect(found[0]).toEqual({
      sha: shaOf('c5'),
      subject: 'subject of c5',
      author: 'A U Thor <author@example.org>',
      committed_at: '2023-11-14T22:18:50.000Z',
      arrived_at: expect.stringMatching(/\dZ$/),
      mainline: true,
      changes: true,
    })
    expect(found.map(({ sha, changes }: { sha: string; changes: boolean | null }) => [sha, changes])).toEqual(
      [
        [shaOf('c5'), true],
        [shaOf('c4'), null],
        [shaOf('c3'), true],
        [shaOf('c2'), false],
        [shaOf('c1'), true],
      ],
    )
    agent.state.system!.current = pathOf('a5')
    await agent.report()
    expect(await desired('late')).toEqual({ commits: [], total: 0, changing: 0 })
  })

  test('are not known of a system that runs what no commit gives, or follows no branch', async () => {
    const unknown = { commits: [], total: null, changing: null }
    const agent = await addSystem('odd', { configuration: 'a' })
    await agent.report()
    expect(await desired('odd')).toEqual(unknown)
    expect(await desired('pinned')).toEqual(unknown)
    await server.api('PUT', '/systems/odd/archived')
    expect(await desired('odd')).toEqual(unknown)
    expect((await server.api('GET', '/systems/nope/desired-commits')).status).toBe(404)
  })

  test('are at most a hundred, and all counted', async () => {
    const { db } = server.database
    const other = await addFlake(
      db,
      {
        url: 'git+https://example.org/long',
        branch: null,
        searchDepth: 500,
        allowImportFromDerivation: false,
      },
      false,
    )
    const long = await moveTestBranch(
      db,
      other.id,
      Array.from({ length: 151 }, (_, index) => `long${index}`),
    )
    await evaluateTestCommit(db, long[0]!, { x: 'x0' })
    await evaluateTestCommit(db, long[150]!, { x: 'x150' })
    const agent = await registerTestAgent(server, { hostname: 'x' })
    await server.api('PATCH', '/systems/x', { body: { flake_url: 'git+https://example.org/long' } })
    agent.state.system!.current = pathOf('x0')
    await agent.report()
    const { commits: found, total } = await desired('x')
    expect([found.length, total, found[0].sha, found[99].sha]).toEqual([
      100,
      150,
      shaOf('long150'),
      shaOf('long51'),
    ])
  })
})
