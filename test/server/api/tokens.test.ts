import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import { withClient } from '../../../src/store/database.ts'
import { createTestAgent, registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const call = (method: string, path: string, body?: object) =>
  server.api(method, path, body === undefined ? {} : { body })

describe('API tokens', () => {
  test('one that was made works until it is revoked, at once', async () => {
    const { status, body } = await call('POST', '/tokens', { name: 'laptop', role: 'operator' })
    expect([status, body]).toEqual([201, { id: expect.any(Number), token: expect.stringMatching(/^cfa_/) }])
    const use = async () => (await server.api('GET', '/enroll-tokens', { token: body.token })).status
    expect(await use()).toBe(200)
    expect((await call('DELETE', `/tokens/${body.id}`)).status).toBe(204)
    expect(await use()).toBe(401)
    expect((await call('DELETE', `/tokens/${body.id}`)).status).toBe(404)
  })

  test('expire when they were told to', async () => {
    const { body } = await call('POST', '/tokens', { name: 'x', role: 'viewer', expires_in_secs: 3600 })
    const { tokens } = (await call('GET', '/tokens')).body
    const { expires_at } = tokens.find(({ id }: { id: number }) => id === body.id)
    expect(Math.abs(Date.parse(expires_at) - Date.now() - 3_600_000)).toBeLessThan(60_000)
    await withClient(server.connection, 'test', (client) =>
      client.query(`update api_tokens set expires_at = now() where id = $1`, [body.id]),
    )
    expect((await server.api('GET', '/systems', { token: body.token })).status).toBe(401)
  })

  test.each([
    [{ name: 'x', role: 'root' }, '/body/role'],
    [{ name: '', role: 'viewer' }, '/body/name'],
    [{ name: 'x'.repeat(257), role: 'viewer' }, '/body/name'],
    [{ role: 'viewer' }, '/body/name'],
    [{ name: 'x', role: 'viewer', expires_in_secs: 5 }, '/body/expires_in_secs'],
    [{ name: 'x', role: 'viewer', expires_in_secs: '3600' }, '/body/expires_in_secs'],
    [{ name: 'x', role: 'viewer', expires: 3600 }, '/body/expires'],
    [{ name: 'a\0b', role: 'viewer' }, '/name'],
  ])('%j is refused at %s', async (body, path) => {
    const reply = await call('POST', '/tokens', body)
    expect([reply.status, reply.body.errors[0].path]).toEqual([422, path])
  })

  test.each(['0', '-1', 'x', '1.5', '9007199254740993', '1 or 1=1', '99999999999999999999'])(
    'an id that is none is refused: %s',
    async (id) => {
      expect((await call('DELETE', `/tokens/${encodeURIComponent(id)}`)).status).toBe(422)
    },
  )
})

describe('enrolment tokens', () => {
  test('have careful defaults: one use, one day, no approval', async () => {
    const { body } = await call('POST', '/enroll-tokens', { name: 'default' })
    const { enroll_tokens: listed } = (await call('GET', '/enroll-tokens')).body
    const token = listed.find(({ id }: { id: number }) => id === body.id)
    expect(token).toMatchObject({ name: 'default', uses_left: 1, needs_approval: false, hostname: null })
    expect(Math.abs(Date.parse(token.expires_at) - Date.now() - 86_400_000)).toBeLessThan(60_000)
  })

  test('give what enrols their environment and flake, and count their uses', async () => {
    const settings = { name: 'x', uses: 2, environment: 'lab', flake_url: 'git+https://example.org/x.git' }
    const { body } = await call('POST', '/enroll-tokens', settings)
    for (const hostname of ['lab1', 'lab2'])
      expect((await createTestAgent(server, { hostname }).enroll(body.token)).status).toBe(201)
    expect((await createTestAgent(server, { hostname: 'lab3' }).enroll(body.token)).status).toBe(403)
    expect((await call('GET', '/systems/lab2')).body).toMatchObject({
      environment: 'lab',
      flake_url: settings.flake_url,
      registration: 'active',
    })
  })

  test.each(['https://user:s3cret@example.org/x', 'nixpkgs'])(
    'refuse the flake %j, unquoted',
    async (url) => {
      const reply = await call('POST', '/enroll-tokens', { name: 'x', flake_url: url })
      expect([reply.status, reply.body.errors[0].path]).toEqual([422, '/body/flake_url'])
      expect(JSON.stringify(reply.body)).not.toContain(url)
    },
  )

  test('a misspelt member is refused: it would make a token that needs no approval', async () => {
    const reply = await call('POST', '/enroll-tokens', { name: 'x', need_approval: true })
    expect([reply.status, reply.body.errors]).toEqual([
      422,
      [{ path: '/body/need_approval', message: 'is not known here' }],
    ])
  })

  test('a revoked one lets nobody in, and what enrolled with it stays', async () => {
    const { body } = await call('POST', '/enroll-tokens', { name: 'x', uses: 2 })
    const early = createTestAgent(server, { hostname: 'early' })
    await early.enroll(body.token)
    expect((await call('DELETE', `/enroll-tokens/${body.id}`)).status).toBe(204)
    const late = createTestAgent(server, { hostname: 'late' })
    expect((await late.enroll(body.token)).status).toBe(403)
    expect((await early.heartbeat()).status).toBe(200)
    expect((await call('DELETE', `/enroll-tokens/${body.id}`)).status).toBe(404)
  })
})

test('secrets never come back out', async () => {
  const agent = await registerTestAgent(server, { hostname: 'secretive' })
  await agent.report()
  const { token: enrollToken } = (await call('POST', '/enroll-tokens', { name: 'x' })).body
  const enrolled = createTestAgent(server, { hostname: 'enrolled' })
  await enrolled.enroll(enrollToken)
  const { token: viewer } = (await call('POST', '/tokens', { name: 'x', role: 'viewer' })).body
  const answers = await Promise.all(
    [
      '/fleet/summary',
      '/systems',
      '/systems/secretive',
      '/systems/secretive/keys',
      '/systems/secretive/reports',
      `/reports/${agent.reported}`,
      '/keys',
      '/enroll-tokens',
      '/tokens',
      '/jobs',
    ].map(async (path) => JSON.stringify((await call('GET', path)).body)),
  )
  const text = answers.join('\n')
  expect(text).toContain('secretive')
  for (const secret of [server.adminToken, enrollToken, viewer]) {
    const hash = createHash('sha256').update(secret).digest()
    for (const form of [secret, secret.slice(4), hash.toString('hex'), hash.toString('base64')])
      expect(text).not.toContain(form)
  }
  for (const { key } of [agent, enrolled]) {
    expect(text).not.toContain(key.seed.toString('base64'))
    expect(text).not.toContain(key.seed.toString('hex'))
  }
  expect(text).not.toContain(server.connection.password?.reveal())
})

test('a refused token is not repeated', async () => {
  const reply = await server.api('GET', '/systems', { token: 'cfa_not-one-of-ours' })
  expect(JSON.stringify(reply.body)).not.toContain('not-one-of-ours')
})
