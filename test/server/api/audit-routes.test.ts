import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../../src/protocol/keys.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch, shaOf } from '../../support/evaluated.ts'
import { createTestAgent, newKey } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

interface Route {
  operationId: string
  method: string
  path: string | (() => string)
  body?: object
  /** What it leaves, oldest first: action, name of the subject, before and after. */
  records: [action: string, subject: string, before: unknown, after: unknown][]
  /** How many records the same request leaves when it is made again. */
  again: number
}

const waiting = newKey()
const added = newKey()
const time = expect.stringMatching(/^\d{4}-.*Z$/)
const FLAKE = 'github:yourorg/fleet'
const flakeState = { branch: null, search_depth: 100, declared: false, allow_import_from_derivation: false }

/** What test/server/people shows the records of. */
const PEOPLE = [
  'signIn',
  'signOut',
  'setUp',
  'choosePassword',
  'addUser',
  'changeUser',
  'removeUser',
  'createPasswordLink',
  'changeOwnPassword',
  'endSessions',
]

/** Every other route that changes something, in an order in which each can. */
const ROUTES: Route[] = [
  {
    operationId: 'addSystem',
    method: 'POST',
    path: '/systems',
    body: {
      hostname: 'web1',
      environment: 'lab',
      flake_url: 'github:a/new',
      public_keys: [encodeBase64(newKey().publicKey)],
    },
    records: [
      ['flake.add', 'github:a/new', null, { ...flakeState, url: 'github:a/new', archived: false }],
      [
        'system.add',
        'web1',
        null,
        {
          environment: 'lab',
          flake_url: 'github:a/new',
          configuration: null,
          pinned_path: null,
          declared: false,
          archived: false,
        },
      ],
      ['key.add', 'web1', null, { status: 'active', declared: false }],
    ],
    again: 0,
  },
  {
    operationId: 'changeSystem',
    method: 'PATCH',
    path: '/systems/web1',
    body: { environment: 'production', configuration: 'web', flake_url: 'github:a/new' },
    records: [
      [
        'system.change',
        'web1',
        { environment: 'lab', configuration: null },
        { environment: 'production', configuration: 'web' },
      ],
    ],
    again: 0,
  },
  {
    operationId: 'approveKeys',
    method: 'POST',
    path: '/systems/waits/approve',
    records: [['key.approve', 'waits', { status: 'pending' }, { status: 'active' }]],
    again: 0,
  },
  {
    operationId: 'archiveSystem',
    method: 'PUT',
    path: '/systems/WEB1/archived',
    records: [['system.archive', 'web1', { archived: false }, { archived: true }]],
    again: 0,
  },
  {
    operationId: 'restoreSystem',
    method: 'DELETE',
    path: '/systems/web1/archived',
    records: [['system.restore', 'web1', { archived: true }, { archived: false }]],
    again: 0,
  },
  {
    operationId: 'acknowledgeFlag',
    method: 'DELETE',
    path: '/systems/waits/flags/chain_broken',
    records: [
      ['flag.acknowledge', 'waits', { flag: 'chain_broken', since: time, details: { why: 'a test' } }, null],
    ],
    again: 0,
  },
  {
    operationId: 'addSystemKey',
    method: 'POST',
    path: '/systems/web1/keys',
    body: { public_key: encodeBase64(added.publicKey) },
    records: [['key.add', 'web1', null, { status: 'active', declared: false }]],
    again: 0,
  },
  {
    operationId: 'revokeSystemKey',
    method: 'DELETE',
    path: `/systems/web1/keys/${added.id}`,
    records: [['key.revoke', 'web1', { status: 'active' }, { status: 'revoked' }]],
    again: 0,
  },
  {
    operationId: 'addFlake',
    method: 'POST',
    path: '/flakes',
    body: { url: 'github:a/added', branch: 'release' },
    records: [
      [
        'flake.add',
        'github:a/added',
        null,
        { ...flakeState, url: 'github:a/added', branch: 'release', archived: false },
      ],
    ],
    again: 0,
  },
  {
    operationId: 'archiveFlake',
    method: 'DELETE',
    path: () => `/flakes/${flakeIds.get('github:a/unused')}`,
    records: [['flake.archive', 'github:a/unused', { archived: false }, { archived: true }]],
    again: 0,
  },
  {
    operationId: 'syncFlake',
    method: 'POST',
    path: () => `/flakes/${flakeIds.get(FLAKE)}/sync`,
    records: [['flake.sync', FLAKE, null, null]],
    again: 1,
  },
  {
    operationId: 'evaluateCommit',
    method: 'POST',
    path: `/commits/${shaOf('two')}/evaluate`,
    body: { again: 'all' },
    records: [['commit.evaluate', shaOf('two'), null, { flake_id: 1, again: ['web1', 'web2'] }]],
    again: 0,
  },
  {
    operationId: 'retryEvaluation',
    method: 'POST',
    path: '/evaluations/1/retry',
    records: [['evaluation.retry', shaOf('one'), null, { flake_id: 1, again: ['web1'] }]],
    again: 0,
  },
  {
    operationId: 'createEnrollToken',
    method: 'POST',
    path: '/enroll-tokens',
    body: { name: 'rack 3', environment: 'lab' },
    records: [
      [
        'enroll-token.create',
        'rack 3',
        null,
        {
          uses_left: 1,
          expires_at: time,
          environment: 'lab',
          flake_url: null,
          hostname: null,
          needs_approval: false,
        },
      ],
    ],
    again: 1,
  },
  {
    operationId: 'revokeEnrollToken',
    method: 'DELETE',
    path: '/enroll-tokens/1',
    records: [
      [
        'enroll-token.revoke',
        'a test',
        {
          uses_left: 0,
          expires_at: time,
          environment: null,
          flake_url: null,
          hostname: null,
          needs_approval: true,
        },
        null,
      ],
    ],
    again: 0,
  },
  {
    operationId: 'createToken',
    method: 'POST',
    path: '/tokens',
    body: { name: 'laptop', role: 'viewer' },
    records: [['token.create', 'laptop', null, { role: 'viewer', expires_at: null }]],
    again: 1,
  },
  {
    operationId: 'revokeToken',
    method: 'DELETE',
    path: () => `/tokens/${spareToken}`,
    records: [['token.revoke', 'spare', { role: 'viewer', expires_at: null }, null]],
    again: 0,
  },
]

let server: TestServer
let adminId: number
let spareToken: number
const flakeIds = new Map<string, number>()

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.database
  adminId = (await server.api('GET', '/tokens')).body.tokens[0].id
  spareToken = (await server.api('POST', '/tokens', { body: { name: 'spare', role: 'viewer' } })).body.id
  const { body } = await server.api('POST', '/enroll-tokens', {
    body: { name: 'a test', needs_approval: true },
  })
  await createTestAgent(server, { hostname: 'waits', key: waiting }).enroll(body.token)
  const { id } = await db.selectFrom('systems').select('id').executeTakeFirstOrThrow()
  await db
    .insertInto('flags')
    .values({
      system_id: id,
      flag: 'chain_broken',
      since: new Date(),
      details: JSON.stringify({ why: 'a test' }),
    })
    .execute()
  for (const url of [FLAKE, 'github:a/unused']) flakeIds.set(url, await addTestFlake(db, { url }))
  const commits = await moveTestBranch(db, flakeIds.get(FLAKE) ?? 0, ['one', 'two'])
  for (const commit of commits) await evaluateTestCommit(db, commit, { web1: 'web1', web2: 'web2' })
})
afterAll(() => server.stop())

const recordsSince = (id: number) =>
  server.database.db.selectFrom('audit').selectAll().where('id', '>', id).orderBy('id').execute()
const newest = async () => (await recordsSince(0)).at(-1)?.id ?? 0

test('the table has every route that is not safe', async () => {
  const { body } = await server.api('GET', '/openapi.json')
  const unsafe = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((operations) =>
    Object.entries(operations)
      .filter(([method]) => !['get', 'head', 'options'].includes(method))
      .map(([, { operationId }]) => operationId),
  )
  expect([...PEOPLE, ...ROUTES.map(({ operationId }) => operationId)].toSorted()).toEqual(unsafe.toSorted())
})

describe.each(ROUTES)('$operationId', ({ method, path, body, records, again }) => {
  const call = (token?: string) =>
    server.api(method, typeof path === 'string' ? path : path(), {
      ...(token !== undefined && { token }),
      ...(body !== undefined && { body }),
    })

  test('leaves no record where it is refused', async () => {
    const before = await newest()
    expect((await call('cfa_nonsense')).status).toBe(401)
    expect(await recordsSince(before)).toEqual([])
  })

  test('records who changed what, and nothing when nothing changes', async () => {
    const before = await newest()
    expect((await call()).status).toBeLessThan(300)
    const made = await recordsSince(before)
    expect(made.map((row) => [row.action, row.subject_name, row.before, row.after])).toEqual(records)
    for (const row of made)
      expect(row).toMatchObject({
        actor_kind: 'token',
        actor_id: String(adminId),
        actor_name: `a test's admin`,
        role: 'admin',
        address: '127.0.0.1',
      })
    const since = await newest()
    await call()
    expect(await recordsSince(since)).toHaveLength(again)
  })
})

test('no record holds a secret, the hash of one, or a public key', async () => {
  const secrets = await server.database.db
    .selectFrom('api_tokens')
    .select('hash')
    .unionAll(server.database.db.selectFrom('enroll_tokens').select('hash'))
    .unionAll(server.database.db.selectFrom('keys').select('public_key as hash'))
    .execute()
  const text = JSON.stringify(await recordsSince(0))
  expect(text).not.toMatch(/cf[ae]_/)
  expect(secrets.length).toBeGreaterThan(5)
  for (const { hash } of secrets)
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(hash.toString(form))
})
