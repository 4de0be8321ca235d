import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYNC_FLAKE } from '../../../src/store/job-queue.ts'
import { reconcile } from '../../../src/store/reconcile.ts'
import { addTestFlake, moveTestBranch, shaOf } from '../../support/evaluated.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const call = (method: string, path: string, body?: object) =>
  server.api(method, path, body === undefined ? {} : { body })
const problem = (name: string) => `urn:crystal-forge:problem:${name}`

let count = 0
const freshUrl = () => `git+https://forge.example.org/fleet-${(count += 1)}`
const add = async (body: object) => (await call('POST', '/flakes', body)).body.id

test("repositories on the server's own machine are for admins to name", async () => {
  const url = 'git+file:///srv/nixos-configs'
  const refused = { status: 403, body: { type: problem('forbidden') } }
  const operator = await call('POST', '/tokens', { name: 'operator', role: 'operator' })
  const asOperator = (method: string, path: string, body: object) =>
    server.api(method, path, { body, token: operator.body.token })
  expect(await asOperator('POST', '/flakes', { url })).toMatchObject(refused)
  expect(await asOperator('POST', '/systems', { hostname: 'local', flake_url: url })).toMatchObject(refused)
  await call('POST', '/systems', { hostname: 'elsewhere' })
  expect(await asOperator('PATCH', '/systems/elsewhere', { flake_url: url })).toMatchObject(refused)
  const token = { name: 'local', uses: 1, expires_in_secs: 60, flake_url: url }
  expect(await asOperator('POST', '/enroll-tokens', token)).toMatchObject(refused)
  expect((await call('POST', '/flakes', { url })).status).toBe(201)
})

describe('adding', () => {
  test('follows a flake, which is listed with what was asked for and what is known', async () => {
    const url = freshUrl()
    const reply = await call('POST', '/flakes', { url, branch: 'main', search_depth: 7 })
    expect(reply.status).toBe(201)
    const expected = {
      id: reply.body.id,
      url,
      branch: 'main',
      declared: false,
      allow_import_from_derivation: false,
      search_depth: 7,
      archived_at: null,
      systems: 0,
      head_branch: null,
      head_sha: null,
      head_status: null,
      synced_at: null,
      sync_failed_at: null,
      sync_error: null,
    }
    expect((await call('GET', `/flakes/${reply.body.id}`)).body).toMatchObject(expected)
    expect((await call('GET', '/flakes')).body.flakes).toContainEqual(expect.objectContaining(expected))
  })

  test('shows the head of its branch and how many systems have it', async () => {
    const url = freshUrl()
    const id = await add({ url })
    await moveTestBranch(server.database.db, id, ['one', 'two'])
    for (const hostname of ['one-of-it', 'two-of-it', 'left-it'])
      await call('POST', '/systems', { hostname, flake_url: url })
    await call('PUT', '/systems/left-it/archived')
    expect((await call('GET', `/flakes/${id}`)).body).toMatchObject({
      systems: 2,
      head_branch: 'main',
      head_sha: shaOf('two'),
      head_subject: 'subject of two',
      head_status: 'new',
      head_arrived_at: expect.any(String),
      synced_at: expect.any(String),
    })
  })

  test('refuses one that is followed already, in any spelling, and says which', async () => {
    const id = await add({ url: 'github:yourorg/twice' })
    const again = await call('POST', '/flakes', { url: 'git+ssh://git@github.com/yourorg/twice.git' })
    expect(again).toMatchObject({ status: 409, body: { type: problem('conflict') } })
    expect(again.body.detail).toContain(`flake ${id}`)
    expect((await call('POST', '/flakes', { url: 'github:yourorg/twice', branch: 'test' })).status).toBe(201)
  })

  test.each([
    [
      { url: 'https://user:s3cret@example.org/x' },
      '/body/url',
      'must not hold a user name, password or token',
    ],
    [
      { url: 'https://ghp_s3cret@github.com/a/b' },
      '/body/url',
      'must not hold a user name, password or token',
    ],
    [{ url: 'https://example.org/x?access_token=s3cret' }, '/body/url', 'must not hold a user name'],
    [{ url: '--upload-pack=s3cret' }, '/body/url', 'must be a Git URL'],
    [{ url: 'ext::sh -c s3cret' }, '/body/url', 'must be a Git URL'],
    [{ url: 'github:a/b?rev=s3cret' }, '/body/url', 'must not pin a revision'],
    [{ url: 'github:a/b?ref=x', branch: 'y' }, '/body/url', 'must not name another branch'],
    [{ url: 'github:a/b', branch: '--s3cret' }, '/body/branch', 'must be a branch name'],
    [{ url: 'github:a/b', branch: 'a..b' }, '/body/branch', 'must be a branch name'],
    [{ url: '' }, '/body/url', ''],
    [{ url: 'github:a/b', search_depth: 0 }, '/body/search_depth', 'must be >= 1'],
    [{ url: 'github:a/b', declared: true }, '/body/declared', 'is not known here'],
    [{}, '/body/url', ''],
  ])('refuses %j, says where, and repeats no secret', async (body, path, message) => {
    const reply = await call('POST', '/flakes', body)
    expect(reply).toMatchObject({ status: 422, body: { type: problem('invalid') } })
    expect(reply.body.errors[0]).toMatchObject({ path, message: expect.stringContaining(message) })
    expect(JSON.stringify(reply.body)).not.toContain('s3cret')
  })

  test('takes an admin to let evaluations build', async () => {
    const token = await server.createToken('operator')
    const body = { url: freshUrl(), allow_import_from_derivation: true }
    expect(await server.api('POST', '/flakes', { token, body })).toMatchObject({
      status: 403,
      body: { detail: 'allow_import_from_derivation needs the role admin' },
    })
    const { id } = (await server.api('POST', '/flakes', { body })).body
    expect((await call('GET', `/flakes/${id}`)).body.allow_import_from_derivation).toBe(true)
  })
})

describe('archiving', () => {
  test('ends the following; the flake can be read, and comes back with new settings', async () => {
    const url = freshUrl()
    const id = await add({ url, search_depth: 7 })
    expect((await call('DELETE', `/flakes/${id}`)).status).toBe(204)
    expect((await call('GET', '/flakes')).body.flakes).not.toContainEqual(expect.objectContaining({ id }))
    const { archived_at } = (await call('GET', `/flakes/${id}`)).body
    expect(archived_at).toEqual(expect.any(String))
    expect((await call('DELETE', `/flakes/${id}`)).status).toBe(204)
    expect((await call('GET', `/flakes/${id}`)).body.archived_at).toBe(archived_at)
    expect(await add({ url })).toBe(id)
    expect((await call('GET', `/flakes/${id}`)).body).toMatchObject({ archived_at: null, search_depth: 100 })
  })

  test('is refused while systems have it', async () => {
    const url = freshUrl()
    const id = await add({ url })
    await call('POST', '/systems', { hostname: 'user1', flake_url: url })
    expect(await call('DELETE', `/flakes/${id}`)).toMatchObject({
      status: 409,
      body: { type: problem('conflict'), detail: expect.stringContaining('what 1 system has to run') },
    })
    await call('PUT', '/systems/user1/archived')
    expect((await call('DELETE', `/flakes/${id}`)).status).toBe(204)
  })

  test('is undone when a system that has it comes back', async () => {
    const url = freshUrl()
    const id = await add({ url })
    await call('POST', '/systems', { hostname: 'comes-back', flake_url: url })
    await call('PUT', '/systems/comes-back/archived')
    await call('DELETE', `/flakes/${id}`)
    const { archived_at } = (await call('GET', `/flakes/${id}`)).body
    expect((await call('DELETE', '/systems/comes-back/archived')).status).toBe(204)
    const { body } = await call('GET', `/flakes/${id}`)
    expect(body).toMatchObject({ archived_at: null, systems: 1 })
    expect(Date.parse(body.next_poll_at)).toBeGreaterThanOrEqual(Date.parse(archived_at))
  })

  test('is refused for one that the configuration declares', async () => {
    const { db } = server.database
    const url = freshUrl()
    const flake = { url, branch: null, allowImportFromDerivation: false, searchDepth: 100 }
    await reconcile(db, { flakes: [flake], systems: [] })
    const { flakes } = (await call('GET', '/flakes')).body
    const { id, declared } = flakes.find((each: { url: string }) => each.url === url)
    expect(declared).toBe(true)
    expect(await call('DELETE', `/flakes/${id}`)).toMatchObject({
      status: 403,
      body: { type: problem('read-only') },
    })
    expect((await call('GET', `/flakes/${id}`)).body.archived_at).toBeNull()
  })

  test('while systems are added leaves none with an archived flake', async () => {
    const { db } = server.database
    for (let round = 0; round < 10; round++) {
      const url = freshUrl()
      const id = await add({ url })
      const [archived] = await Promise.all([
        call('DELETE', `/flakes/${id}`),
        call('POST', '/systems', { hostname: `racer${round}`, flake_url: url }),
      ])
      expect([204, 409]).toContain(archived.status)
    }
    const rows = await db
      .selectFrom('systems')
      .innerJoin('flakes', 'flakes.id', 'systems.flake_id')
      .select('systems.hostname')
      .where('flakes.archived_at', 'is not', null)
      .where('systems.archived_at', 'is', null)
      .execute()
    expect(rows).toEqual([])
  })
})

describe('asking for the head', () => {
  test('is one job for the evaluators, however often it is asked', async () => {
    const id = await add({ url: freshUrl() })
    for (const _ of [1, 2, 3])
      expect(await call('POST', `/flakes/${id}/sync`)).toMatchObject({
        status: 202,
        body: { id, synced_at: null },
      })
    const waiting = await server.jobs(SYNC_FLAKE)
    expect(waiting.filter((job) => Reflect.get(job, 'flakeId') === id)).toHaveLength(1)
  })

  test('is refused for an archived flake', async () => {
    const id = await addTestFlake(server.database.db, { url: freshUrl() })
    await call('DELETE', `/flakes/${id}`)
    expect((await call('POST', `/flakes/${id}/sync`)).status).toBe(409)
  })
})

test.each([
  ['GET', '/flakes/999999'],
  ['DELETE', '/flakes/999999'],
  ['POST', '/flakes/999999/sync'],
  ['GET', '/flakes/999999/commits'],
])('%s %s is not found', async (method, path) => {
  expect(await call(method, path)).toMatchObject({
    status: 404,
    body: { detail: 'there is no flake 999999' },
  })
})

test.each(['0', '-1', '1.5', 'x', '99999999999999999999'])('an id may not be %s', async (id) => {
  expect((await call('GET', `/flakes/${id}`)).status).toBe(422)
})
