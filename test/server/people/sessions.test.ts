import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addTestUser, createTestBrowser, PASSWORD, signedIn } from '../../support/people.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await addTestUser(server, 'Ada', 'admin')
  await addTestUser(server, 'vera', 'viewer')
  await addTestUser(server, 'oleg', 'operator')
})
afterAll(() => server.stop())

const age = async (column: 'last_used_at' | 'expires_at', interval: string) =>
  await sql`update sessions set ${sql.ref(column)} = now() - ${interval}::interval`.execute(
    server.database.db,
  )

describe('signing in', () => {
  test('gives a session by a cookie that scripts cannot read', async () => {
    const browser = createTestBrowser(server)
    const reply = await browser.signIn('ada')
    expect(reply.status).toBe(204)
    expect(reply.headers.get('set-cookie')).toMatch(
      /^crystal_forge=cfs_[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    )
    expect((await browser.api('GET', '/session')).body).toMatchObject({
      user: { name: 'Ada' },
      role: 'admin',
      setup_needed: false,
      token: null,
    })
    expect((await browser.api('GET', '/users')).status).toBe(200)
  })

  test('over TLS it is a cookie of this host alone', async () => {
    const secure = await startTestServer({ settings: { publicUrl: 'https://forge.example.org' } })
    try {
      await addTestUser(secure, 'ada', 'admin')
      const browser = createTestBrowser(secure)
      expect((await browser.signIn('ada')).headers.get('set-cookie')).toMatch(
        /^__Host-crystal_forge=cfs_.*; HttpOnly; Secure; SameSite=Lax$/,
      )
      expect((await browser.api('GET', '/systems')).status).toBe(200)
    } finally {
      await secure.stop()
    }
  })

  test('is refused in the same words for a wrong password, an unknown name and a disabled user', async () => {
    const { id } = await addTestUser(server, 'gone', 'viewer')
    await server.api('PATCH', `/users/${id}`, { body: { disabled: true } })
    const browser = createTestBrowser(server)
    const replies = [
      await browser.signIn('ada', 'wrong'),
      await browser.signIn('nobody', PASSWORD),
      await browser.signIn('gone', PASSWORD),
    ]
    for (const { status, body } of replies) {
      expect(status).toBe(401)
      expect(body).toEqual(replies[0]?.body)
    }
    expect(browser.cookie()).toBe('')
  })

  test('makes a new session each time, and leaves the one before alone', async () => {
    const browser = await signedIn(server, 'vera')
    const first = browser.cookie()
    await browser.signIn('vera')
    expect(browser.cookie()).not.toBe(first)
    expect((await browser.api('GET', '/systems', undefined, { cookie: first })).status).toBe(200)
  })
})

describe('a session', () => {
  test('ends when it is not used for 8 hours', async () => {
    const browser = await signedIn(server, 'vera')
    await age('last_used_at', '7 hours 59 minutes')
    expect((await browser.api('GET', '/systems')).status).toBe(200)
    await age('last_used_at', '8 hours 1 second')
    expect((await browser.api('GET', '/systems')).status).toBe(401)
  })

  test('is not used by a page that nobody touches, nor by its stream of events', async () => {
    const browser = await signedIn(server, 'vera')
    await age('last_used_at', '7 hours')
    const untouched = { 'crystal-forge-unattended': '1' }
    expect((await browser.api('GET', '/systems', undefined, untouched)).status).toBe(200)
    expect((await browser.api('GET', '/session', undefined, untouched)).status).toBe(200)
    expect((await browser.api('GET', '/events?follow=false')).status).toBe(200)
    const { rows } = await sql`select from sessions where last_used_at > now() - interval '7 hours'`.execute(
      server.database.db,
    )
    expect(rows).toHaveLength(0)
    expect((await browser.api('GET', '/systems')).status).toBe(200)
    await age('expires_at', '0 hours')
  })

  test('ends after 7 days however much it is used', async () => {
    const browser = await signedIn(server, 'vera')
    const { body } = await browser.api('GET', '/session')
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(6.99 * 86_400_000)
    await age('expires_at', '1 second')
    expect((await browser.api('GET', '/systems')).status).toBe(401)
  })

  test('ends by signing out, and only that one', async () => {
    const here = await signedIn(server, 'vera')
    const there = await signedIn(server, 'vera')
    const cookie = here.cookie()
    expect((await here.api('DELETE', '/session')).headers.get('set-cookie')).toMatch(/^crystal_forge=;/)
    expect((await here.api('GET', '/systems', undefined, { cookie })).status).toBe(401)
    expect((await there.api('GET', '/systems')).status).toBe(200)
  })

  test('ends everywhere, by oneself or by an admin, and not by others', async () => {
    const vera = await signedIn(server, 'vera')
    const { id } = (await vera.api('GET', '/session')).body.user
    const oleg = await signedIn(server, 'oleg')
    expect((await oleg.api('DELETE', `/users/${id}/sessions`)).status).toBe(403)
    expect((await vera.api('GET', '/systems')).status).toBe(200)
    expect((await vera.api('DELETE', `/users/${id}/sessions`)).status).toBe(204)
    expect((await vera.api('GET', '/systems')).status).toBe(401)
    const again = await signedIn(server, 'vera')
    expect((await server.api('DELETE', `/users/${id}/sessions`)).status).toBe(204)
    expect((await again.api('GET', '/systems')).status).toBe(401)
  })

  test('has the role that its user has now', async () => {
    const { id } = await addTestUser(server, 'rosa', 'operator')
    const rosa = await signedIn(server, 'rosa')
    expect((await rosa.api('POST', '/systems', { hostname: 'by-rosa' })).status).toBe(201)
    await server.api('PATCH', `/users/${id}`, { body: { role: 'viewer' } })
    const refused = await rosa.api('POST', '/systems', { hostname: 'by-rosa-too' })
    expect(refused.status).toBe(403)
    expect(refused.body.detail).toBe('this needs the role operator; you have the role viewer')
    await server.api('PATCH', `/users/${id}`, { body: { disabled: true } })
    expect((await rosa.api('GET', '/systems')).status).toBe(401)
  })

  test('is in the audit trail, as what is done in it is', async () => {
    const oleg = await signedIn(server, 'oleg')
    await oleg.api('POST', '/systems', { hostname: 'by-oleg' })
    const { body } = await server.api('GET', '/audit?actor=oleg')
    expect(body.records.map(({ action }: { action: string }) => action).slice(0, 2)).toEqual([
      'system.add',
      'session.start',
    ])
  })
})

const post = async (headers: Record<string, string>, body?: object) => {
  const browser = await signedIn(server, 'ada')
  return await server.api('POST', '/systems', {
    token: null,
    body: body ?? { hostname: `h-${Math.random().toString(36).slice(2)}` },
    headers: { cookie: browser.cookie(), ...headers },
  })
}

describe('a request from a page of another site', () => {
  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbouring host', { 'sec-fetch-site': 'same-site' }],
    ['an address bar', { 'sec-fetch-site': 'none' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['nowhere', {}],
  ])('changes nothing: from %s', async (_, headers) => {
    const reply = await post(headers)
    expect(reply.status).toBe(403)
    expect(reply.body.detail).toContain('another site')
  })

  test('is told from our own by either header', async () => {
    expect((await post({ 'sec-fetch-site': 'same-origin' })).status).toBe(201)
    expect((await post({ origin: server.url })).status).toBe(201)
  })

  test('cannot pass as a form', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const reply = await post({ 'sec-fetch-site': 'same-origin', 'content-type': type })
      expect([415, 422, 400]).toContain(reply.status)
    }
  })

  test('signs nobody in', async () => {
    const reply = await server.api('POST', '/session', {
      token: null,
      body: { name: 'ada', password: PASSWORD },
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(reply.status).toBe(403)
    expect(reply.headers.get('set-cookie')).toBeNull()
  })

  test('with a token is a request like any other', async () => {
    const reply = await server.api('POST', '/systems', {
      body: { hostname: 'by-token' },
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(reply.status).toBe(201)
  })
})

test('a stream of events ends soon after its session does', async () => {
  const browser = await signedIn(server, 'vera')
  const { user } = (await browser.api('GET', '/session')).body
  const response = await fetch(`${server.url}/api/v1/events`, { headers: { cookie: browser.cookie() } })
  expect(response.status).toBe(200)
  await server.api('DELETE', `/users/${user.id}/sessions`)
  // within the 15 s after which the server looks again
  await response.text()
})
