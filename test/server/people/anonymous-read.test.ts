import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databaseContent } from '../../support/database-content.ts'
import { addTestUser, createTestBrowser, signedIn } from '../../support/people.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { anonymousRead: true } })
  const agent = await registerTestAgent(server, { hostname: 'web1' })
  await agent.report()
  await addTestUser(server, 'ada', 'admin')
})
afterAll(() => server.stop())

const stranger = () => createTestBrowser(server)

describe('with anonymous_read, somebody who did not sign in', () => {
  test('is told so, and that this server may be read', async () => {
    expect((await stranger().api('GET', '/session')).body).toMatchObject({
      user: null,
      role: 'viewer',
      anonymous_read: true,
    })
  })

  test('gets the page of any address', async () => {
    for (const path of ['/', '/systems/web1', '/settings']) {
      const response = await fetch(server.url + path, { headers: { accept: 'text/html' } })
      expect([path, response.status]).toEqual([path, 200])
      expect(await response.text()).toContain('<div id="root">')
    }
  })

  test('reads what viewers read, events included', async () => {
    for (const path of [
      '/fleet/summary',
      '/fleet/attention',
      '/systems',
      '/systems/web1',
      '/systems?format=csv',
    ])
      expect([path, (await stranger().api('GET', path)).status]).toEqual([path, 200])
    const events = await fetch(`${server.url}/api/v1/events?follow=false&after=0-0`)
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    expect(await events.text()).toContain('web1')
  })

  test('reads nothing that viewers do not read, and changes nothing', async () => {
    const { body: description } = await server.api('GET', '/openapi.json', { token: null })
    const before = await databaseContent(server.database.db)
    let tried = 0
    for (const [path, operations] of Object.entries<object>(description.paths))
      for (const method of Object.keys(operations).map((name) => name.toUpperCase())) {
        const real = path
          .replace('/api/v1', '')
          .replace('{hostname}', 'web1')
          .replace(/\{\w+\}/, '1')
        const isAdmins = /^\/(users|tokens|audit|enroll-tokens)/.test(real)
        // what is for strangers: signing in, and out; each takes something that they do not have
        if (['/session', '/setup', '/password'].includes(real) || (method === 'GET' && !isAdmins)) continue
        const body = real.endsWith('/password') ? { current: 'x', password: 'a long password' } : {}
        const { status } = await stranger().api(method, real, method === 'GET' ? undefined : body)
        expect([method, real, [401, 403].includes(status)]).toEqual([method, real, true])
        tried += 1
      }
    expect(tried).toBeGreaterThan(20)
    expect(await databaseContent(server.database.db)).toEqual(before)
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401)
  })

  test('may sign in, and then has the own role', async () => {
    const ada = await signedIn(server, 'ada')
    expect((await ada.api('POST', '/systems', { hostname: 'by-ada' })).status).toBe(201)
    expect((await ada.api('GET', '/session')).body).toMatchObject({ user: { name: 'ada' }, role: 'admin' })
  })
})

test('without it, a stranger gets the page and reads nothing', async () => {
  const closed = await startTestServer()
  try {
    expect((await fetch(closed.url, { headers: { accept: 'text/html' } })).status).toBe(200)
    const browser = createTestBrowser(closed)
    for (const path of ['/systems', '/fleet/summary', '/events?follow=false'])
      expect([path, (await browser.api('GET', path)).status]).toEqual([path, 401])
  } finally {
    await closed.stop()
  }
})
