import { assert, asyncProperty, constantFrom, integer, option, record } from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVALUATE_COMMIT } from '../../../src/store/job-queue.ts'
import {
  addTestFlake,
  evaluateTestCommit,
  moveTestBranch,
  pathOf,
  shaOf,
  type TestCommit,
} from '../../support/evaluated.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

interface Listed {
  id: number
  flake_id: number
  sha: string
  configuration: string
  status: string
}

let server: TestServer
let flakeId: number
let otherFlake: number
let one: TestCommit
let two: TestCommit

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.database
  flakeId = await addTestFlake(db)
  otherFlake = await addTestFlake(db, { url: 'github:yourorg/other' })
  const commits = await moveTestBranch(db, flakeId, ['one', 'two'])
  const others = await moveTestBranch(db, otherFlake, ['three'])
  const none = { id: 0, flakeId: 0, sha: '' }
  ;[one = none, two = none] = commits
  const broken = { cause: 'throw', error: 'error: it is broken\n\n   at hosts/web2.nix:3' }
  const hosts = Array.from({ length: 20 }, (_, index) => `host${index}`)
  const good = (version: string) => Object.fromEntries(hosts.map((host) => [host, `${host}-${version}`]))
  await evaluateTestCommit(db, one, { ...good('1'), web1: 'web1-1', web2: 'web2-1' })
  await evaluateTestCommit(db, two, { ...good('2'), web1: 'web1-2', web2: broken })
  for (const commit of others) await evaluateTestCommit(db, commit, { web1: 'web1-other', web2: broken })
})
afterAll(() => server.stop())

const call = (method: string, path: string) => server.api(method, path)
const get = async (path: string) => (await call('GET', path)).body
const list = async (query = ''): Promise<Listed[]> =>
  (await get(`/evaluations?limit=1000${query}`)).evaluations
const idOf = async (query: string) => (await list(query))[0]?.id

const maybe = <T>(...values: T[]) => option(constantFrom(...values), { nil: undefined })

describe('evaluations', () => {
  test('are listed by commits, the last first, and then by name', async () => {
    const all = await list()
    expect(all).toHaveLength(46)
    expect([...new Set(all.map(({ sha }) => sha))]).toEqual([shaOf('three'), two.sha, one.sha])
    const names = all.filter(({ sha }) => sha === two.sha).map(({ configuration }) => configuration)
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b, 'en')))
    expect(all.find(({ sha, configuration }) => sha === two.sha && configuration === 'web1')).toEqual({
      id: expect.any(Number),
      flake_id: flakeId,
      sha: two.sha,
      configuration: 'web1',
      status: 'succeeded',
      out_path: pathOf('web1-2'),
      nixos_version: '25.11',
      cause: null,
      duration_ms: 512,
      evaluated_at: expect.any(String),
    })
  })

  test('pass every combination of filters that they fit, in pages of any size', async () => {
    const all = await list()
    const filters = record({
      flake: maybe(flakeId, otherFlake, 999_999),
      commit: maybe(one.sha, two.sha.slice(0, 8), shaOf('three'), '0000000'),
      configuration: maybe('web1', 'web2', 'host7', 'web'),
      status: maybe('succeeded', 'failed'),
    })
    await assert(
      asyncProperty(filters, integer({ min: 1, max: 30 }), async (filter, limit) => {
        const expected = all.filter(
          (each) =>
            (filter.flake === undefined || each.flake_id === filter.flake) &&
            (filter.commit === undefined || each.sha.startsWith(filter.commit)) &&
            (filter.configuration === undefined || each.configuration === filter.configuration) &&
            (filter.status === undefined || each.status === filter.status),
        )
        const given = Object.entries(filter).filter(([, value]) => value !== undefined)
        const query = given.map(([name, value]) => `&${name}=${value}`).join('')
        const seen: Listed[] = []
        for (let next: string | null = '999999999999999-x'; next !== null;) {
          const page: { evaluations: Listed[]; next: string | null } = await get(
            `/evaluations?limit=${limit}&after=${next}${query}`,
          )
          expect(page.evaluations.length).toBeLessThanOrEqual(limit)
          seen.push(...page.evaluations)
          next = page.next
        }
        expect(seen).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    'status=broken',
    'commit=xyz',
    'flake=0',
    'after=a',
    'after=12',
    'after=x-y',
    'limit=1001',
    'host=x',
    'configuration=',
  ])('are not filtered by %s', async (query) => {
    expect((await call('GET', `/evaluations?${query}`)).status).toBe(422)
  })
})

describe('an evaluation', () => {
  test('that succeeded has all that is known of it', async () => {
    const id = await idOf(`&commit=${two.sha}&configuration=web1`)
    expect(await get(`/evaluations/${id}`)).toEqual({
      id,
      flake_id: flakeId,
      flake_url: 'github:yourorg/fleet',
      sha: two.sha,
      subject: 'subject of two',
      commit_status: 'evaluated',
      configuration: 'web1',
      status: 'succeeded',
      drv_path: `${pathOf('web1-2-drv')}.drv`,
      out_path: pathOf('web1-2'),
      platform: 'x86_64-linux',
      nixos_version: '25.11',
      kernel_version: '6.12.4',
      state_version: '24.05',
      embeds_revision: false,
      cause: null,
      error: null,
      duration_ms: 512,
      peak_memory_bytes: 300_000_000,
      nix_version: '2.8.0',
      evaluated_at: expect.any(String),
      specialisations: [{ name: 'rescue', out_path: pathOf('web1-2-rescue') }],
    })
  })

  test('that failed says why', async () => {
    const id = await idOf(`&flake=${flakeId}&status=failed`)
    expect(await get(`/evaluations/${id}`)).toMatchObject({
      configuration: 'web2',
      status: 'failed',
      out_path: null,
      cause: 'throw',
      error: 'error: it is broken\n\n   at hosts/web2.nix:3',
      specialisations: [],
    })
  })

  test('can be asked for again, alone, once at a time', async () => {
    const id = await idOf(`&flake=${flakeId}&status=failed`)
    const reply = await call('POST', `/evaluations/${id}/retry`)
    expect(reply).toMatchObject({
      status: 202,
      body: { flake_id: flakeId, sha: two.sha, configuration: 'web2' },
    })
    expect(await server.jobs(EVALUATE_COMMIT)).toEqual([{ commitId: two.id, again: ['web2'] }])
    expect((await get(`/commits/${two.sha}`)).status).toBe('queued')
    expect((await get(`/evaluations/${id}`)).commit_status).toBe('queued')
    expect((await call('POST', `/evaluations/${id}/retry`)).status).toBe(409)
    expect((await call('POST', `/commits/${two.sha}/evaluate`)).status).toBe(409)
    expect(await server.jobs(EVALUATE_COMMIT)).toHaveLength(1)
  })

  test.each([
    ['GET', '/evaluations/999999'],
    ['POST', '/evaluations/999999/retry'],
  ])('%s %s is not found', async (method, path) => {
    expect(await call(method, path)).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('there is no evaluation 999999') },
    })
  })
})
