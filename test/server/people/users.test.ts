import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashPassword } from '../../../src/server/people/passwords.ts'
import { changeAs } from '../../../src/store/audit.ts'
import { endSessions } from '../../../src/store/sessions.ts'
import { setPassword } from '../../../src/store/users.ts'
import { keepHashing } from '../../support/keep-hashing.ts'
import { addTestUser, createTestBrowser, PASSWORD, signedIn } from '../../support/people.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'
import { waitFor } from '../../support/wait.ts'

let server: TestServer
let ada: number
beforeAll(async () => {
  server = await startTestServer()
  ada = (await addTestUser(server, 'ada', 'admin')).id
})
afterAll(() => server.stop())

const tokenOf = (link: string): string => link.split('#token=')[1] ?? ''
const choose = (token: string, password = PASSWORD) =>
  createTestBrowser(server).api('POST', '/password', { token, password })

describe('a user', () => {
  test('who is added chooses a password by a link that works once', async () => {
    const { status, body } = await server.api('POST', '/users', { body: { name: 'vera', role: 'viewer' } })
    expect(status).toBe(201)
    expect(body.user).toMatchObject({ name: 'vera', role: 'viewer', signs_in_by: null, disabled: false })
    expect(body.password_link.link).toMatch(/^http:\/\/.*\/set-password#token=cfl_/)
    const token = tokenOf(body.password_link.link)
    expect((await createTestBrowser(server).signIn('vera')).status).toBe(401)
    expect((await choose(token, 'short')).status).toBe(422)
    const browser = createTestBrowser(server)
    expect((await browser.api('POST', '/password', { token, password: PASSWORD })).status).toBe(204)
    expect((await browser.api('GET', '/session')).body).toMatchObject({
      user: { name: 'vera' },
      role: 'viewer',
    })
    expect((await choose(token, 'another password')).status).toBe(403)
    expect((await createTestBrowser(server).signIn('vera')).status).toBe(204)
  })

  test('has one link at a time, for three days', async () => {
    const { body } = await server.api('POST', '/users', { body: { name: 'late', role: 'viewer' } })
    const second = await server.api('POST', `/users/${body.user.id}/password-link`)
    expect((await choose(tokenOf(body.password_link.link))).status).toBe(403)
    await sql`update one_time_links set expires_at = now() - interval '1 second'`.execute(server.database.db)
    expect((await choose(tokenOf(second.body.link))).status).toBe(403)
  })

  test('whose password is chosen anew is signed out everywhere', async () => {
    const { id } = await addTestUser(server, 'lost', 'viewer')
    const before = await signedIn(server, 'lost')
    const { body } = await server.api('POST', `/users/${id}/password-link`)
    expect((await choose(tokenOf(body.link), 'a new long password')).status).toBe(204)
    expect((await before.api('GET', '/systems')).status).toBe(401)
  })

  test('changes the own password, which ends the other sessions', async () => {
    await addTestUser(server, 'self', 'viewer')
    const here = await signedIn(server, 'self')
    const there = await signedIn(server, 'self')
    const put = (current: string, password: string) =>
      here.api('PUT', '/users/me/password', { current, password })
    expect((await put('wrong', 'a new long password')).status).toBe(403)
    expect((await put(PASSWORD, 'short')).status).toBe(422)
    expect((await put(PASSWORD, 'a new long password')).status).toBe(204)
    expect((await here.api('GET', '/systems')).status).toBe(200)
    expect((await there.api('GET', '/systems')).status).toBe(401)
    expect((await createTestBrowser(server).signIn('self', 'a new long password')).status).toBe(204)
    const byToken = { current: PASSWORD, password: 'a new long password' }
    expect((await server.api('PUT', '/users/me/password', { body: byToken })).status).toBe(403)
  })

  test('who changes the own password ends the link that an admin made before', async () => {
    const { id } = await addTestUser(server, 'found', 'viewer')
    const { body } = await server.api('POST', `/users/${id}/password-link`)
    const here = await signedIn(server, 'found')
    const change = { current: PASSWORD, password: 'a new long password' }
    expect((await here.api('PUT', '/users/me/password', change)).status).toBe(204)
    expect((await choose(tokenOf(body.link))).status).toBe(403)
  })

  test('gets no session by a password that was replaced while it was looked at', async () => {
    const user = await addTestUser(server, 'torn', 'viewer')
    const replaced = await hashPassword('a new long password')
    await sql`truncate sign_in_failures`.execute(server.database.db)
    const busy = keepHashing(30)
    try {
      const late = createTestBrowser(server).signIn('torn')
      await waitFor(async () => {
        const { rows } = await sql`select from sign_in_failures where failures > 0`.execute(
          server.database.db,
        )
        return rows.length > 0
      })
      const actor = { kind: 'command', id: null, name: 'a test', role: null, address: null } as const
      await changeAs(server.database.db, actor, async (transaction) => {
        await setPassword(transaction, user, replaced, { record: true })
        await endSessions(transaction, { userId: user.id })
      })
      expect((await late).status).toBe(401)
    } finally {
      await busy.stop()
    }
  })

  test('is told that a link is none however busy the server is with passwords', async () => {
    const busy = keepHashing()
    try {
      for (let each = 0; each < 5; each += 1) expect((await choose('cfl_none')).status).toBe(403)
    } finally {
      await busy.stop()
    }
  })

  test('has a name that nobody else has, in any case of letters', async () => {
    const { status, body } = await server.api('POST', '/users', { body: { name: 'ADA', role: 'viewer' } })
    expect(status).toBe(409)
    expect(body.detail).toBe('there is a user ADA already')
  })

  test('who is removed is signed out, and may come back as somebody else', async () => {
    const { id } = await addTestUser(server, 'brief', 'viewer')
    const browser = await signedIn(server, 'brief')
    expect((await server.api('DELETE', `/users/${id}`)).status).toBe(204)
    expect((await browser.api('GET', '/systems')).status).toBe(401)
    expect((await server.api('GET', `/users/${id}`)).status).toBe(404)
    expect((await addTestUser(server, 'brief', 'viewer')).id).not.toBe(id)
  })

  test('is never shown with a password, a hash or a token', async () => {
    const { body } = await server.api('GET', '/users')
    expect(JSON.stringify(body)).not.toMatch(/argon2|cf[ls]_/)
    const { body: audit } = await server.api('GET', '/audit?limit=1000')
    expect(JSON.stringify(audit)).not.toMatch(/argon2|cf[ls]_/)
  })
})

describe('the last administrator', () => {
  test.each([
    ['demoted', () => server.api('PATCH', `/users/${ada}`, { body: { role: 'operator' } })],
    ['disabled', () => server.api('PATCH', `/users/${ada}`, { body: { disabled: true } })],
    ['removed', () => server.api('DELETE', `/users/${ada}`)],
  ])('is not %s', async (_, change) => {
    const { status, body } = await change()
    expect(status).toBe(409)
    expect(body.detail).toBe('this is the last administrator who can sign in')
    expect((await server.api('GET', `/users/${ada}`)).body).toMatchObject({ role: 'admin', disabled: false })
  })

  test('is one who can sign in: an admin who has chosen no password yet is none', async () => {
    const { body } = await server.api('POST', '/users', { body: { name: 'invited', role: 'admin' } })
    expect((await server.api('DELETE', `/users/${ada}`)).status).toBe(409)
    expect((await server.api('DELETE', `/users/${body.user.id}`)).status).toBe(204)
  })

  test('stays when two demote each other at once', async () => {
    const { id } = await addTestUser(server, 'second', 'admin')
    const demote = (user: number) => server.api('PATCH', `/users/${user}`, { body: { role: 'viewer' } })
    const statuses = (await Promise.all([demote(ada), demote(id)])).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409])
  })
})

test('every change to people is in the audit trail, with who made it', async () => {
  await addTestUser(server, 'grace', 'admin')
  const grace = await signedIn(server, 'grace')
  const added = (await grace.api('POST', '/users', { name: 'kay', role: 'viewer' })).body
  const { id } = added.user
  const { link } = (await grace.api('POST', `/users/${id}/password-link`)).body
  await choose(tokenOf(link))
  const kay = await signedIn(server, 'kay')
  await kay.api('PUT', '/users/me/password', { current: PASSWORD, password: 'a new long password' })
  await kay.api('DELETE', '/session')
  await grace.api('PATCH', `/users/${id}`, { role: 'operator', display_name: 'Kay', disabled: true })
  await grace.api('PATCH', `/users/${id}`, { disabled: true })
  await grace.api('DELETE', `/users/${id}`)
  const { body } = await server.api('GET', '/audit?subject=kay')
  const records = body.records
    .toReversed()
    .map((record: { actor: { name: string }; action: string; before: unknown; after: unknown }) => [
      record.actor.name,
      record.action,
      record.before,
      record.after,
    ])
  expect(records).toEqual([
    ['grace', 'user.add', null, { role: 'viewer', display_name: '' }],
    ['grace', 'user.password-link', null, null],
    ['grace', 'user.password-link', null, null],
    ['a password link', 'user.password', null, null],
    ['a password link', 'session.start', null, null],
    ['kay', 'session.start', null, null],
    ['kay', 'user.password', null, null],
    // that of the link, and then by signing out
    ['kay', 'session.end', null, null],
    ['kay', 'session.end', null, null],
    ['grace', 'user.change', { display_name: '' }, { display_name: 'Kay' }],
    ['grace', 'user.role', { role: 'viewer' }, { role: 'operator' }],
    ['grace', 'user.disable', { disabled: false }, { disabled: true }],
    ['grace', 'user.remove', { role: 'operator', disabled: true, display_name: 'Kay' }, null],
  ])
})
