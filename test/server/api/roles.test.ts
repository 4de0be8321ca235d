import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLES, type Role } from '../../../src/store/api-tokens.ts'
import { newKey, registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'
import { encodeBase64 } from '../../../src/protocol/keys.ts'

/** Every route with a path that exists, and the least role it takes. */
const ROUTES: [method: string, path: string, atLeast: Role, body?: () => object][] = [
  ['GET', '/fleet/summary', 'viewer'],
  ['GET', '/fleet/attention', 'viewer'],
  ['GET', '/fleet/activity', 'viewer'],
  ['GET', '/fleet/trend', 'viewer'],
  ['GET', '/systems', 'viewer'],
  ['GET', '/systems/{hostname}', 'viewer'],
  ['GET', '/systems/{hostname}/reports', 'viewer'],
  ['GET', '/systems/{hostname}/timeline', 'viewer'],
  ['GET', '/events', 'viewer'],
  ['GET', '/systems/{hostname}/keys', 'viewer'],
  ['GET', '/reports/{digest}', 'viewer'],
  ['GET', '/keys', 'viewer'],
  ['GET', '/systems/{hostname}/fact-changes', 'viewer'],
  ['GET', '/systems/{hostname}/generations', 'viewer'],
  ['GET', '/systems/{hostname}/online-periods', 'viewer'],
  ['GET', '/search', 'viewer'],
  ['GET', '/jobs', 'viewer'],
  ['GET', '/health/parts', 'viewer'],
  ['GET', '/webhook-deliveries', 'viewer'],
  ['GET', '/flakes', 'viewer'],
  ['GET', '/flakes/{id}', 'viewer'],
  ['GET', '/flakes/{id}/commits', 'viewer'],
  ['GET', '/commits/{sha}', 'viewer'],
  ['GET', '/commits/{sha}/changes', 'viewer'],
  ['GET', '/systems/{hostname}/desired-commits', 'viewer'],
  ['GET', '/evaluations', 'viewer'],
  ['GET', '/evaluations/{id}', 'viewer'],
  ['POST', '/flakes', 'operator', () => ({ url: `github:a/${Math.random().toString(36).slice(2)}` })],
  ['DELETE', '/flakes/{id}', 'operator'],
  ['POST', '/flakes/{id}/sync', 'operator'],
  ['POST', '/commits/{sha}/evaluate', 'operator'],
  ['POST', '/evaluations/{id}/retry', 'operator'],
  ['POST', '/systems', 'operator', () => ({ hostname: `new-${Math.random().toString(36).slice(2)}` })],
  ['PATCH', '/systems/{hostname}', 'operator', () => ({ environment: 'lab' })],
  ['POST', '/systems/{hostname}/approve', 'operator', () => ({})],
  ['PUT', '/systems/{hostname}/archived', 'operator'],
  ['DELETE', '/systems/{hostname}/archived', 'operator'],
  ['DELETE', '/systems/{hostname}/flags/{flag}', 'operator'],
  ['POST', '/systems/{hostname}/keys', 'operator', () => ({ public_key: encodeBase64(newKey().publicKey) })],
  ['DELETE', '/systems/{hostname}/keys/{key}', 'operator'],
  ['GET', '/enroll-tokens', 'operator'],
  ['POST', '/enroll-tokens', 'operator', () => ({ name: 'x' })],
  ['DELETE', '/enroll-tokens/{id}', 'operator'],
  ['GET', '/tokens', 'admin'],
  ['POST', '/tokens', 'admin', () => ({ name: 'x', role: 'viewer' })],
  ['DELETE', '/tokens/{id}', 'admin'],
  ['GET', '/audit', 'admin'],
  ['DELETE', '/session', 'viewer'],
  ['GET', '/users', 'admin'],
  ['POST', '/users', 'admin', () => ({ name: `u-${Math.random().toString(36).slice(2)}`, role: 'viewer' })],
  ['GET', '/users/{id}', 'admin'],
  ['PATCH', '/users/{id}', 'admin', () => ({ role: 'viewer' })],
  ['DELETE', '/users/{id}', 'admin'],
  ['POST', '/users/{id}/password-link', 'admin'],
]

/** What answers everybody, or decides by whom it is about: test/server/people. */
const OTHERS = [
  'GET /session',
  'POST /session',
  'POST /setup',
  'POST /password',
  'PUT /users/me/password',
  'DELETE /users/{id}/sessions',
]

let server: TestServer
let agent: TestAgent
const tokens = new Map<string, string>()

beforeAll(async () => {
  server = await startTestServer()
  agent = await registerTestAgent(server)
  await agent.report()
  for (const role of ROLES) tokens.set(role, await server.createToken(role))
})
afterAll(() => server.stop())

const real = (path: string): string =>
  path
    .replace('/events', '/events?follow=false')
    .replace('{hostname}', agent.hostname)
    .replace('{digest}', agent.reported ?? '')
    .replace('{flag}', 'chain_broken')
    .replace('{key}', 'no-such-key')
    .replace('{id}', '123456')
    .replace('{sha}', '0123456')

const call = (method: string, path: string, token: string | null, body?: () => object) =>
  server.api(method, real(path), { token, ...(body !== undefined && { body: body() }) })

test('the table has every route of the API', async () => {
  const { body } = await server.api('GET', '/openapi.json', { token: null })
  const described = Object.entries<object>(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
  )
  expect([...OTHERS, ...ROUTES.map(([method, path]) => `${method} ${path}`)].toSorted()).toEqual(
    described.toSorted(),
  )
})

describe.each(ROUTES)('%s %s', (method, path, atLeast, body) => {
  test.each(ROLES)(`lets ${atLeast} and above through, and says so to others: %s`, async (role) => {
    const reply = await call(method, path, tokens.get(role) ?? null, body)
    if (ROLES.indexOf(role) >= ROLES.indexOf(atLeast)) expect([401, 403]).not.toContain(reply.status)
    else
      expect(reply).toMatchObject({
        status: 403,
        body: {
          type: 'urn:crystal-forge:problem:forbidden',
          detail: `this needs the role ${atLeast}; the token has the role ${role}`,
        },
      })
  })

  test('refuses a request without a token, and with one that is none, expired or revoked', async () => {
    const expired = await server.createToken('admin', new Date(Date.now() - 1000))
    const { body: made } = await server.api('POST', '/tokens', { body: { name: 'revoked', role: 'admin' } })
    await server.api('DELETE', `/tokens/${made.id}`)
    for (const token of [null, 'cfa_nonsense', '', expired, made.token]) {
      const reply = await call(method, path, token, body)
      expect(reply.status).toBe(401)
      expect(reply.body.type).toBe('urn:crystal-forge:problem:unauthenticated')
      expect(reply.headers.get('www-authenticate')).toBe('Bearer')
    }
  })
})

test('only the bearer scheme counts, in any case', async () => {
  const get = (authorization: string) =>
    server.api('GET', '/systems', { token: null, headers: { authorization } })
  expect((await get(`bearer ${server.adminToken}`)).status).toBe(200)
  for (const header of [
    `Basic ${server.adminToken}`,
    server.adminToken,
    `Bearer ${server.adminToken} x`,
    `Bearer ${server.adminToken},`,
    `Bearer x' or '1'='1`,
  ])
    expect((await get(header)).status).toBe(401)
})

test('anonymous_read lets everybody read what viewers read, and asks for a token otherwise', async () => {
  const open = await startTestServer({ settings: { anonymousRead: true } })
  try {
    const anonymous = (method: string, path: string, body?: object) =>
      open.api(method, path, { token: null, ...(body !== undefined && { body }) })
    expect((await anonymous('GET', '/systems')).status).toBe(200)
    expect((await anonymous('GET', '/tokens')).status).toBe(401)
    expect((await anonymous('POST', '/systems', { hostname: 'x' })).status).toBe(401)
    expect((await open.api('GET', '/systems', { token: 'cfa_wrong' })).status).toBe(401)
  } finally {
    await open.stop()
  }
})
