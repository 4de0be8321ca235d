import { array, assert, asyncProperty, integer } from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { finishCommit, markRunning } from '../../../src/store/commit-runs.ts'
import { EVALUATE_COMMIT } from '../../../src/store/job-queue.ts'
import {
  addTestFlake,
  evaluateTestCommit,
  moveTestBranch,
  shaOf,
  type TestCommit,
  type TestResult,
} from '../../support/evaluated.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const call = (method: string, path: string, body?: object) =>
  server.api(method, path, body === undefined ? {} : { body })
const get = async (path: string) => (await call('GET', path)).body
const broken: TestResult = { cause: 'throw', error: 'error: hosts/a.nix:3:\n\u001b[31mbroken' }

let count = 0
/** A flake of its own whose branch has commits of these names; their names begin with its number. */
const freshFlake = async (...names: string[]) => {
  const number = (count += 1)
  const flakeId = await addTestFlake(server.database.db, { url: `github:yourorg/fleet${number}` })
  const move = (...to: string[]) =>
    moveTestBranch(
      server.database.db,
      flakeId,
      to.map((name) => `${number} ${name}`),
    )
  return { flakeId, move, commits: await move(...names), sha: (name: string) => shaOf(`${number} ${name}`) }
}
const commitAt = (commits: readonly TestCommit[], index: number): TestCommit =>
  commits.at(index) ?? { id: 0, flakeId: 0, sha: '' }
const evaluate = (commit: TestCommit, results: Record<string, TestResult>) =>
  evaluateTestCommit(server.database.db, commit, results)
const listed = async (flakeId: number) => (await get(`/flakes/${flakeId}/commits`)).commits
const changesOf = async (flakeId: number) =>
  (await listed(flakeId)).map((commit: { changed: number | null }) => commit.changed)

const jobOf = async ({ id }: TestCommit) =>
  (await server.jobs(EVALUATE_COMMIT)).find((job) => Reflect.get(job, 'commitId') === id)

describe('the commits of a flake', () => {
  test('are listed newest first, with how many configurations they have, fail and change', async () => {
    const { flakeId, commits } = await freshFlake('one', 'two', 'three')
    await evaluate(commitAt(commits, 0), { a: 'a1', b: 'b1', c: 'c1', gone: 'g1' })
    await evaluate(commitAt(commits, 1), { a: 'a1', b: 'b2', c: broken, added: 'x' })
    expect(await listed(flakeId)).toMatchObject([
      { sha: commitAt(commits, 2).sha, position: 2, status: 'new', configurations: null, changed: null },
      { position: 1, status: 'evaluated', configurations: 4, succeeded: 3, failed: 1, changed: 1 },
      { position: 0, status: 'evaluated', configurations: 4, succeeded: 4, failed: 0, changed: null },
    ])
    expect((await listed(flakeId))[1]).toEqual({
      flake_id: flakeId,
      sha: commitAt(commits, 1).sha,
      position: 1,
      mainline: true,
      author: 'A U Thor <author@example.org>',
      subject: expect.stringMatching(/^subject of \d+ two$/),
      committed_at: '2023-11-14T22:14:50.000Z',
      arrived_at: expect.any(String),
      signed: true,
      status: 'evaluated',
      finished_at: expect.any(String),
      cause: null,
      configurations: 4,
      succeeded: 3,
      failed: 1,
      changed: 1,
    })
  })

  test('are counted against the first parent, whichever of them is evaluated first', async () => {
    const { flakeId, commits } = await freshFlake('one', 'two', 'three')
    await evaluate(commitAt(commits, 2), { a: 'a3', b: 'b1' })
    expect(await changesOf(flakeId)).toEqual([null, null, null])
    await evaluate(commitAt(commits, 1), { a: 'a2', b: 'b1' })
    expect(await changesOf(flakeId)).toEqual([1, null, null])
    await evaluate(commitAt(commits, 0), { a: 'a2', b: 'b1' })
    expect(await changesOf(flakeId)).toEqual([1, 0, null])
    await evaluate(commitAt(commits, 1), { a: 'a3', b: 'b2' })
    expect(await changesOf(flakeId)).toEqual([1, 2, null])
  })

  test('change nothing that is known where they or the one before fail as a whole', async () => {
    const { flakeId, commits } = await freshFlake('one', 'two', 'three')
    for (const commit of commits) await evaluate(commit, { a: commit.sha })
    expect(await changesOf(flakeId)).toEqual([1, 1, null])
    const failure = {
      status: 'failed',
      cause: 'syntax_error',
      error: 'error: syntax error',
      canHeal: false,
    } as const
    await finishCommit(server.database.db, commitAt(commits, 1), failure)
    expect(await changesOf(flakeId)).toEqual([null, null, null])
  })

  test('are counted against one that is being evaluated again by what it gave before', async () => {
    const { flakeId, commits } = await freshFlake('one', 'two')
    await evaluate(commitAt(commits, 0), { a: 'a1' })
    await markRunning(server.database.db, commitAt(commits, 0).id, '2.8.0')
    await evaluate(commitAt(commits, 1), { a: 'a2' })
    expect(await changesOf(flakeId)).toEqual([1, null])
  })

  test('that a force-push removed are not listed, and can be read', async () => {
    const { flakeId, commits, move, sha } = await freshFlake('one', 'two')
    await evaluate(commitAt(commits, 0), { a: 'a1' })
    const [, other] = await move('one', 'other')
    await evaluate(other ?? commitAt(commits, 0), { a: 'a2' })
    await evaluate(commitAt(commits, 1), { a: 'a3' })
    expect(await listed(flakeId)).toMatchObject([{ sha: sha('other'), changed: 1 }, { sha: sha('one') }])
    expect(await get(`/commits/${sha('two')}`)).toMatchObject({
      position: null,
      is_head: false,
      left_at: expect.any(String),
      changed: null,
    })
  })

  test('come in pages that together are the list, whatever their size and while the branch grows', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `c${index}`)
    const { flakeId, move, commits } = await freshFlake(...names)
    // commits that merges brought in stand at the position of the merge
    await sql`update commits set mainline = false, position = position + 1
      where flake_id = ${flakeId} and position in (3, 9, 10)`.execute(server.database.db)
    const all = (await listed(flakeId)).map((commit: { sha: string }) => commit.sha)
    expect(all.toSorted()).toEqual(commits.map((commit) => commit.sha).toSorted())
    await assert(
      asyncProperty(array(integer({ min: 1, max: 9 }), { minLength: 1 }), async (sizes) => {
        const seen: string[] = []
        let next: string | null = ''
        for (let page = 0; next !== null; page++) {
          const after: string = next === '' ? '' : `&after=${next}`
          const reply = await get(`/flakes/${flakeId}/commits?limit=${sizes[page % sizes.length]}${after}`)
          seen.push(...reply.commits.map((commit: { sha: string }) => commit.sha))
          next = reply.next
        }
        expect(seen).toEqual(all)
      }),
      { numRuns: 10 },
    )
    const { next } = await get(`/flakes/${flakeId}/commits?limit=5`)
    await move(...names, 'newest')
    const rest = await get(`/flakes/${flakeId}/commits?after=${next}`)
    expect(rest.commits.map((commit: { sha: string }) => commit.sha)).toHaveLength(18)
  })

  test.each(['x', '1-2-3', "1-1-1'", '-1-0-1', '12345678901-1-1'])('have no page after %j', async (after) => {
    const { flakeId } = await freshFlake('one')
    const path = `/flakes/${flakeId}/commits?after=${encodeURIComponent(after)}`
    expect((await call('GET', path)).status).toBe(422)
  })
})

describe('a commit', () => {
  test('has what Git and Nix say of it, its inputs, and how many evaluate', async () => {
    const { flakeId, commits, sha } = await freshFlake('one', 'two')
    const inputs = [
      {
        name: 'nixpkgs',
        type: 'github',
        url: 'github:NixOS/nixpkgs',
        revision: 'f'.repeat(40),
        narHash: 'sha256-x',
        lastModified: new Date(1_700_000_000_000),
      },
      { name: 'here', type: 'path', url: null, revision: null, narHash: null, lastModified: null },
    ]
    await markRunning(server.database.db, commitAt(commits, 1).id, '2.8.0')
    await evaluateTestCommit(server.database.db, commitAt(commits, 1), { b: 'b1', a: broken }, inputs)
    expect(await get(`/commits/${sha('two')}`)).toMatchObject({
      sha: sha('two'),
      flake_id: flakeId,
      flake_url: expect.stringMatching(/^github:yourorg\/fleet/),
      is_head: true,
      left_at: null,
      authored_at: '2023-11-14T22:14:20.000Z',
      status: 'evaluated',
      nix_version: '2.8.0',
      started_at: expect.any(String),
      cause: null,
      error: null,
      inputs: [
        {
          name: 'nixpkgs',
          type: 'github',
          url: 'github:NixOS/nixpkgs',
          revision: 'f'.repeat(40),
          nar_hash: 'sha256-x',
          last_modified: '2023-11-14T22:13:20.000Z',
        },
        { name: 'here', type: 'path', url: null, revision: null, nar_hash: null, last_modified: null },
      ],
      succeeded: 1,
      failed: 1,
    })
    expect(await get(`/commits/${sha('one')}`)).toMatchObject({
      is_head: false,
      inputs: null,
      succeeded: 0,
      failed: 0,
    })
  })

  test('that fails as a whole says why', async () => {
    const { commits, sha } = await freshFlake('one')
    const failure = { cause: 'syntax', error: 'error: syntax error' }
    const outcome = { status: 'failed' as const, ...failure, canHeal: false }
    await finishCommit(server.database.db, commitAt(commits, 0), outcome)
    expect(await get(`/commits/${sha('one')}`)).toMatchObject({ status: 'failed', ...failure })
  })

  test('is found by its first digits, when no other begins with them', async () => {
    const { flakeId, sha } = await freshFlake('one')
    expect((await get(`/commits/${sha('one').slice(0, 7)}`)).sha).toBe(sha('one'))
    const twin = `${sha('one').slice(0, 12)}${'0'.repeat(28)}`
    await sql`insert into commits (flake_id, sha) values (${flakeId}, ${twin})`.execute(server.database.db)
    expect(await call('GET', `/commits/${sha('one').slice(0, 12)}`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('give more of its digits') },
    })
    expect((await get(`/commits/${twin}`)).sha).toBe(twin)
  })

  test('that several flakes have is asked for with the flake', async () => {
    const { flakeId, commits, sha } = await freshFlake('one')
    const other = await addTestFlake(server.database.db, { url: 'github:yourorg/fork' })
    await sql`insert into commits (flake_id, sha) values (${other}, ${sha('one')})`.execute(
      server.database.db,
    )
    expect(await call('GET', `/commits/${sha('one')}`)).toMatchObject({
      status: 409,
      body: { detail: `several flakes have this commit: say of which, with ?flake=${flakeId} or ${other}` },
    })
    for (const flake of [flakeId, other])
      expect((await get(`/commits/${sha('one')}?flake=${flake}`)).flake_id).toBe(flake)
    expect((await call('POST', `/commits/${sha('one')}/evaluate?flake=${flakeId}`)).status).toBe(202)
    expect(await server.jobs(EVALUATE_COMMIT)).toContainEqual({
      commitId: commitAt(commits, 0).id,
      again: [],
    })
  })

  test.each(['abc', 'HEAD', 'ABCDEF0', 'a'.repeat(65), 'aaaaaa%25'])('is not named %j', async (sha) => {
    expect((await call('GET', `/commits/${sha}`)).status).toBe(422)
  })

  test('that nobody knows is not found', async () => {
    expect(await call('GET', `/commits/${'0'.repeat(40)}`)).toMatchObject({
      status: 404,
      body: { detail: `there is no commit ${'0'.repeat(40)}` },
    })
  })
})

describe('having a commit evaluated', () => {
  test('queues one that was never asked for', async () => {
    const { commits, sha } = await freshFlake('one', 'two')
    expect(await call('POST', `/commits/${sha('one')}/evaluate`)).toMatchObject({
      status: 202,
      body: { sha: sha('one'), flake_id: commitAt(commits, 0).flakeId },
    })
    expect(await jobOf(commitAt(commits, 0))).toEqual({ commitId: commitAt(commits, 0).id, again: [] })
    expect((await get(`/commits/${sha('one')}`)).status).toBe('queued')
  })

  test.each([
    [undefined, ['bad']],
    ['failed', ['bad']],
    ['all', ['bad', 'good']],
    ['none', []],
  ])('again %s of one that is evaluated queues %j', async (again, expected) => {
    const { commits, sha } = await freshFlake('one')
    await evaluate(commitAt(commits, 0), { good: 'g', bad: broken })
    const reply = await call(
      'POST',
      `/commits/${sha('one')}/evaluate`,
      again === undefined ? undefined : { again },
    )
    expect(reply.status).toBe(202)
    expect(await jobOf(commitAt(commits, 0))).toEqual({ commitId: commitAt(commits, 0).id, again: expected })
  })

  test('is refused while it waits or runs, and for an archived flake', async () => {
    const { commits, flakeId, sha } = await freshFlake('one')
    const path = `/commits/${sha('one')}/evaluate`
    await call('POST', path)
    expect(await call('POST', path)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('waits to be evaluated or is being evaluated') },
    })
    await evaluate(commitAt(commits, 0), { a: 'a1' })
    // its job has not ended yet
    expect((await call('POST', path)).status).toBe(409)
    expect((await get(`/commits/${sha('one')}`)).status).toBe('evaluated')
    await call('DELETE', `/flakes/${flakeId}`)
    expect((await call('POST', path)).body.detail).toContain('is archived')
  })

  test.each([{ again: 'everything' }, { agin: 'all' }, []])('refuses the body %j', async (body) => {
    const { sha } = await freshFlake('one')
    expect((await call('POST', `/commits/${sha('one')}/evaluate`, body)).status).toBe(422)
  })
})
