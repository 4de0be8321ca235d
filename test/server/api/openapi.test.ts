import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeApi } from '../../../script/generator/openapi.ts'
import { createEnrollToken } from '../../../src/store/enroll-tokens.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch } from '../../support/evaluated.ts'
import { createTestAgent, registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

interface Operation {
  operationId: string
  summary: string
  parameters?: { name: string; in: string }[]
  responses: Record<string, { description: string; content?: Record<string, { schema: TSchema }> }>
}

interface Description {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: { Problem: TSchema } }
}

const file = join(import.meta.dirname, '../../../docs/openapi.json')
const committed = await readFile(file, 'utf8')
const description: Description = JSON.parse(committed)
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, ...operation })),
)

test('docs/openapi.json is what the server says of itself', async () => {
  expect(JSON.parse(await describeApi())).toEqual(description)
  expect(await describeApi()).toBe(committed)
})

test('the description is OpenAPI 3.1, and every operation has a name of its own and says what it does', () => {
  expect(description.openapi).toBe('3.1.0')
  const names = operations.map(({ operationId }) => operationId)
  expect(new Set(names).size).toBe(names.length)
  for (const { operationId, summary, path, parameters = [], responses } of operations) {
    expect(operationId).toMatch(/^[a-z]+([A-Z][a-z]+)+$/)
    expect(summary).toMatch(/^[A-Z].{10,}[^.]$/)
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
    expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath)
    expect(Object.keys(responses)).toEqual([expect.stringMatching(/^20[0124]$/), '4XX', '5XX'])
  }
})

test('every reference leads somewhere', () => {
  for (const [, reference] of committed.matchAll(/"\$ref": "([^"]+)"/g))
    expect(reference).toBe('#/components/schemas/Problem')
  expect(description.components.schemas.Problem).toMatchObject({ type: 'object' })
})

describe('real answers', () => {
  let server: TestServer
  let agent: TestAgent
  let evaluated: string[]

  beforeAll(async () => {
    server = await startTestServer()
    agent = await registerTestAgent(server, { hostname: 'full', environment: 'production' })
    await agent.report({ clock_skew_secs: -40, spool_failed: true })
    await agent.heartbeat({ clock_skew_secs: -40 })
    await agent.report({ system: null, previous: `sha256:${'9'.repeat(64)}` })
    const nameless = await registerTestAgent(server, { hostname: 'unreadable' })
    await nameless.report({ system: null })
    await server.api('POST', '/systems', { body: { hostname: 'bare' } })
    const { db } = server.database
    const { token } = await createEnrollToken(db, {
      name: 'x',
      uses: 1,
      expiresAt: new Date(Date.now() + 60_000),
      environment: 'lab',
      flakeUrl: 'git+https://example.org/x.git',
      hostname: 'waits',
      needsApproval: true,
    })
    await createTestAgent(server, { hostname: 'waits' }).enroll(token)
    await server.api('POST', '/enroll-tokens', { body: { name: 'x' } })
    await server.api('POST', '/tokens', { body: { name: 'x', role: 'viewer', expires_in_secs: 60 } })
    await server.api('POST', '/users', { body: { name: 'x', role: 'viewer' } })
    await server.api('DELETE', `/systems/full/keys/${agent.key.id}`)
    await server.api('PUT', '/systems/bare/archived')
    const flakeId = await addTestFlake(db)
    const [one, two] = await moveTestBranch(db, flakeId, ['one', 'two'])
    const inputs = [
      { name: 'nixpkgs', type: 'git', url: null, revision: null, narHash: null, lastModified: null },
    ]
    const broken = { cause: 'throw', error: 'error: broken' }
    if (one !== undefined) await evaluateTestCommit(db, one, { web1: 'web1', web2: broken }, inputs)
    evaluated = [one?.sha ?? '', two?.sha ?? '']
    await db
      .insertInto('webhook_deliveries')
      .values([
        { provider: 'github', event: 'push', outcome: 'accepted', delivery: '1', flake_ids: [1] },
        { provider: 'generic', event: 'push', outcome: 'ignored', reason: 'tag', ref: 'refs/tags/v1' },
      ])
      .execute()
    await db
      .insertInto('job_runs')
      .values([{ name: 'never' }, { name: 'failed', failed_at: new Date(), error: 'it could not' }])
      .execute()
  })
  afterAll(() => server.stop())

  const hostnames = ['full', 'unreadable', 'bare', 'waits']
  const urlsOf = (path: string): string[] => {
    const url = path.replace('/api/v1', '').replace('{digest}', agent.reported ?? '')
    if (url === '/search') return ['/search?text=full']
    if (url.includes('{sha}')) return evaluated.map((sha) => url.replace('{sha}', sha))
    if (url === '/evaluations/{id}') return [1, 2].map((id) => url.replace('{id}', String(id)))
    if (url.includes('{id}')) return [url.replace('{id}', '1')]
    return url.includes('{hostname}') ? hostnames.map((name) => url.replace('{hostname}', name)) : [url]
  }

  const gets = operations.filter(
    ({ method, responses }) =>
      method === 'get' && responses['200']?.content?.['application/json'] !== undefined,
  )
  test.each(gets)('of $operationId have the form it says', async ({ path, responses }) => {
    const schema = responses['200']?.content?.['application/json']?.schema
    const validator = Compile(schema ?? {})
    for (const url of urlsOf(path)) {
      const { status, body } = await server.api('GET', url)
      expect([url, status]).toEqual([url, 200])
      expect(validator.Errors(body)).toEqual([])
      expect(undescribed(body, schema)).toEqual([])
    }
  })

  test('of changes have the form they say', async () => {
    const requests: [operationId: string, method: string, path: string, body: object | undefined][] = [
      ['addSystem', 'POST', '/systems', { hostname: 'added' }],
      ['approveKeys', 'POST', '/systems/waits/approve', {}],
      ['addSystemKey', 'POST', '/systems/added/keys', { public_key: createTestAgent(server).publicKey }],
      ['createEnrollToken', 'POST', '/enroll-tokens', { name: 'x' }],
      ['createToken', 'POST', '/tokens', { name: 'x', role: 'viewer' }],
      ['addFlake', 'POST', '/flakes', { url: 'github:a/added' }],
      ['syncFlake', 'POST', '/flakes/1/sync', undefined],
      ['retryEvaluation', 'POST', '/evaluations/1/retry', undefined],
      ['evaluateCommit', 'POST', `/commits/${evaluated[1]}/evaluate`, { again: 'all' }],
    ]
    for (const [operationId, method, path, request] of requests) {
      const { status, body } = await server.api(method, path, request === undefined ? {} : { body: request })
      const responses = operations.find((operation) => operation.operationId === operationId)?.responses
      const schema = responses?.[status]?.content?.['application/json']?.schema
      expect([operationId, schema === undefined]).toEqual([operationId, false])
      expect(Compile(schema ?? {}).Errors(body)).toEqual([])
    }
  })

  test('that are problems have the form they say', async () => {
    const validator = Compile(description.components.schemas.Problem)
    for (const reply of [
      await server.api('GET', '/systems/nope'),
      await server.api('GET', '/systems', { token: null }),
      await server.api('GET', '/systems?limit=0'),
      await server.api('POST', '/systems', { body: { hostname: '', x: 1 } }),
    ]) {
      expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(validator.Errors(reply.body)).toEqual([])
      expect(undescribed(reply.body, description.components.schemas.Problem)).toEqual([])
    }
  })
})

/** Paths of members that the schema does not describe, below objects of which it describes any. */
function undescribed(value: unknown, schema: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(value)) {
    const items: unknown = Reflect.get(schema, 'items')
    return value.flatMap((item, index) => undescribed(item, items, `${path}/${index}`))
  }
  const properties: unknown = Reflect.get(schema, 'properties')
  if (typeof properties !== 'object' || properties === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name in properties
      ? undescribed(member, Reflect.get(properties, name), `${path}/${name}`)
      : [`${path}/${name}`],
  )
}
