import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../../src/lib/secret.ts'
import type { OidcSettings } from '../../../src/server/oidc/provider.ts'
import { addUser, changeUser } from '../../../src/store/users.ts'
import { type BrowserSession, createBrowserSession } from '../../support/browser-session.ts'
import { addTestUser } from '../../support/people.ts'
import { type Account, startOidcProvider, type TestOidcProvider } from '../../support/oidc-provider.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const FORGE = 'https://forge.test'
const CALLBACK = `${FORGE}/auth/oidc/callback`
const START = `${FORGE}/auth/oidc/start`

let idp: TestOidcProvider
let server: TestServer
let people = 0

const settingsFor = (of: Pick<TestOidcProvider, 'issuer' | 'clientId' | 'clientSecret'>): OidcSettings => ({
  issuer: of.issuer,
  clientId: of.clientId,
  clientSecret: new Secret(of.clientSecret),
  name: 'Our <b>IdP</b>',
  scopes: ['openid', 'profile'],
  groupsClaim: 'groups',
  roleGroups: { viewer: ['staff'], operator: ['infra'], admin: ['leads'] },
  redirectUri: CALLBACK,
})

beforeAll(async () => {
  idp = await startOidcProvider({ redirectUri: CALLBACK })
  server = await startTestServer({ settings: { publicUrl: FORGE, oidc: settingsFor(idp) } })
})
afterAll(async () => {
  await server.stop()
  await idp.close()
})

/** Somebody whom nobody knows yet, who is before the provider's screen. */
const newcomer = (members: Partial<Account> = {}): Account => {
  people++
  idp.account = { sub: `sub-${people}`, preferred_username: `person${people}`, groups: ['staff'], ...members }
  return idp.account
}
beforeEach(() => void newcomer())

const browser = (of = server) => createBrowserSession({ [FORGE]: of.url })
const sessionOf = async (session: BrowserSession) =>
  JSON.parse(await (await session.visit(`${FORGE}/api/v1/session`)).text())
const whoIs = async (session: BrowserSession) => {
  const { user, role } = await sessionOf(session)
  return user === null ? null : { name: user.name, role }
}
const isDone = ({ origin, pathname }: URL) => origin === FORGE && !pathname.startsWith('/auth/')
/** Signs in as far as the first page of ours that is not part of it. */
const signIn = async (session = browser(), start = START) => {
  const { url, response } = await session.follow(start, isDone)
  const isRefused = response.status >= 400
  return {
    session,
    url,
    status: isRefused ? response.status : 303,
    text: isRefused ? await response.text() : '',
  }
}
/** The answer of the provider, with which nobody has come back yet. */
const answer = async (session: BrowserSession, start = START) =>
  (await session.follow(start, ({ href }) => href.startsWith(CALLBACK))).url
const audit = async (subject: string) =>
  (await server.api('GET', `/audit?subject=${subject}`)).body.records.map(
    ({ action, before, after }: { action: string; before: unknown; after: unknown }) => [
      action,
      before,
      after,
    ],
  )
const inDatabase = (text: string) => server.database.pool.query(text)

describe('signing in', () => {
  test('makes a user with the highest role that the groups give, and a session of half a day', async () => {
    newcomer({ preferred_username: 'alice', groups: ['staff', 'infra', 'others'] })
    const { session, url } = await signIn(browser(), `${START}?return=/systems%3Fdrift=behind`)
    expect(url.href).toBe(`${FORGE}/systems?drift=behind`)
    const { user, role, expires_at } = await sessionOf(session)
    expect([user.name, role]).toEqual(['alice', 'operator'])
    expect(Math.abs(Date.parse(expires_at) - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000)
    expect(await audit('alice')).toEqual([
      ['session.start', null, null],
      ['user.add', null, { display_name: '', role: 'operator' }],
    ])
    const { users } = (await server.api('GET', '/users')).body
    expect(users).toContainEqual(expect.objectContaining({ name: 'alice', signs_in_by: 'oidc' }))
  })

  test('is offered by its name, without being asked who one is', async () => {
    expect((await sessionOf(browser())).sign_in).toEqual({ password: true, oidc: { name: 'Our <b>IdP</b>' } })
  })

  test('sets cookies that neither scripts nor other sites get', async () => {
    const session = browser()
    const begun = await session.visit(START)
    expect(begun.headers.get('set-cookie')).toMatch(
      /^__Host-crystal_forge_oidc=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(begun.headers.get('cache-control')).toBe('no-store')
    const ended = await session.visit((await answer(session)).href)
    expect(ended.headers.get('set-cookie')).toMatch(
      /^__Host-crystal_forge=cfs_.*; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(ended.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('gives the role anew each time, for what is open already too', async () => {
    const person = newcomer({ groups: ['leads'] })
    const { session } = await signIn()
    expect((await whoIs(session))?.role).toBe('admin')
    idp.account = { ...person, groups: ['staff'] }
    await signIn()
    expect((await whoIs(session))?.role).toBe('viewer')
    expect(await audit(String(person.preferred_username))).toContainEqual([
      'user.role',
      { role: 'admin' },
      { role: 'viewer' },
    ])
  })

  test('without a group that gives a role is refused with the groups, and ends what is open', async () => {
    const person = newcomer()
    const { session } = await signIn()
    idp.account = { ...person, groups: ['<script>alert(1)</script>', 'admin'] }
    const refused = await signIn()
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('You are in no group that may use Crystal Forge')
    expect(refused.text).toContain('in the groups &lt;script&gt;alert(1)&lt;/script&gt;, admin.')
    expect(await whoIs(refused.session)).toBeNull()
    expect(await whoIs(session)).toBeNull()
  })

  test('of a newcomer without a group leaves no user', async () => {
    newcomer({ preferred_username: 'outsider', groups: [] })
    expect((await signIn()).text).toContain('in no group.')
    expect(JSON.stringify((await server.api('GET', '/users')).body)).not.toContain('outsider')
  })

  test('knows a person again whatever their name and address have become', async () => {
    const person = newcomer({ preferred_username: 'maiden', email: 'a@example.org' })
    await signIn()
    idp.account = { ...person, preferred_username: 'married', email: 'b@example.org' }
    expect(await whoIs((await signIn()).session)).toEqual({ name: 'maiden', role: 'viewer' })
  })

  test('takes over nobody of the same name or address, here or there', async () => {
    await server.database.db
      .transaction()
      .execute((transaction) =>
        addUser(transaction, { name: 'Root', displayName: '', role: 'admin', password: null }),
      )
    newcomer({ preferred_username: 'root' })
    expect(await whoIs((await signIn()).session)).toEqual({ name: 'root-2', role: 'viewer' })
    newcomer({ preferred_username: 'ROOT' })
    expect(await whoIs((await signIn()).session)).toEqual({ name: 'ROOT-3', role: 'viewer' })
  })

  test('at the same moment in many windows makes one user', async () => {
    const person = newcomer({ preferred_username: 'busy' })
    const all = await Promise.all(Array.from({ length: 6 }, () => signIn()))
    for (const { session } of all) expect(await whoIs(session)).toEqual({ name: 'busy', role: 'viewer' })
    expect((await audit('busy')).filter(([action]: [string]) => action === 'user.add')).toHaveLength(1)
    const { rows } = await inDatabase(`select 1 from users where subject = '${person.sub}'`)
    expect(rows).toHaveLength(1)
  })

  test('keeps a name readable that would hide or turn what stands beside it', async () => {
    newcomer({ preferred_username: ' ev\u202Eil\u0000\u001b[2J\r\n  name\u200B ' })
    expect(await whoIs((await signIn()).session)).toMatchObject({ name: 'evil[2J name' })
  })

  test('leaves no role to be given here: it would be gone at the next sign-in', async () => {
    const person = newcomer()
    await signIn()
    const { users } = (await server.api('GET', '/users')).body
    const { id } = users.find(({ name }: { name: string }) => name === person.preferred_username)
    const reply = await server.api('PATCH', `/users/${id}`, { body: { role: 'admin' } })
    expect([reply.status, reply.body.detail]).toEqual([
      409,
      'the role of this user comes from the groups at the OpenID provider',
    ])
  })

  test('gives no password to change here', async () => {
    const person = newcomer()
    const { session } = await signIn()
    expect((await sessionOf(session)).user).toMatchObject({ signs_in_by: 'oidc' })
    const token = session.cookies.get(FORGE)?.get('__Host-crystal_forge')
    const reply = await server.api('PUT', '/users/me/password', {
      token: null,
      headers: {
        'sec-fetch-site': 'same-origin',
        cookie: `__Host-crystal_forge=${token}`,
      },
      body: { current: 'a guess of twelve', password: 'a new long password' },
    })
    expect([reply.status, reply.body.detail]).toEqual([
      409,
      `${person.preferred_username} signs in with the OpenID provider, and has no password here`,
    ])
  })

  test('of a user whom an admin has disabled is refused', async () => {
    const person = newcomer({ groups: ['leads'] })
    await signIn()
    const { users } = (await server.api('GET', '/users')).body
    const { id } = users.find(({ name }: { name: string }) => name === person.preferred_username)
    await addTestUser(server, 'keeper', 'admin')
    await server.database.db.transaction().execute(async (transaction) => {
      await changeUser(transaction, id, { disabled: true })
    })
    const refused = await signIn()
    expect([refused.status, await whoIs(refused.session)]).toEqual([403, null])
    expect(refused.text).toContain('This user is disabled')
  })

  test.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/%09/evil.example',
    '/..//evil.example',
  ])('leads to no other site: %s', async (path) => {
    const { url } = await signIn(browser(), `${START}?return=${encodeURIComponent(path)}`)
    expect(url.origin).toBe(FORGE)
  })

  test('signing out ends our session', async () => {
    const { session } = await signIn()
    const cookie = [...(session.cookies.get(FORGE) ?? [])]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const out = await fetch(`${server.url}/api/v1/session`, {
      method: 'DELETE',
      headers: { cookie, origin: FORGE },
    })
    expect([out.status, await whoIs(session)]).toEqual([204, null])
  })
})

/** Comes back with an answer that is not taken; resolves with the page that says so. */
const refused = async (session: BrowserSession, url: URL, status = 400) => {
  const response = await session.visit(url.href)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await whoIs(session)).toBeNull()
  return await response.text()
}

describe('an answer is refused', () => {
  test('in another browser than the one that began', async () => {
    const url = await answer(browser())
    expect(await refused(browser(), url)).toContain('another browser')
    const other = browser()
    await other.visit(START)
    expect(await refused(other, url)).toContain('another browser')
  })

  test('with another state, none, or two', async () => {
    for (const change of [
      (url: URL) => url.searchParams.set('state', 'another'),
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.append('state', 'another'),
    ]) {
      const session = browser()
      const url = await answer(session)
      change(url)
      await refused(session, url)
    }
  })

  test('a second time', async () => {
    const session = browser()
    const url = await answer(session)
    expect((await session.visit(url.href)).status).toBe(303)
    const replayed = browser()
    replayed.cookies.set(FORGE, new Map(session.cookies.get(FORGE)))
    replayed.cookies.get(FORGE)?.delete('__Host-crystal_forge')
    await refused(replayed, url)
  })

  test('with a code that was used before', async () => {
    const first = browser()
    const used = await answer(first)
    await first.visit(used.href)
    const session = browser()
    const url = await answer(session)
    url.searchParams.set('code', used.searchParams.get('code') ?? '')
    await refused(session, url, 502)
  })

  test('after ten minutes', async () => {
    const session = browser()
    const url = await answer(session)
    await inDatabase(`update oidc_logins set expires_at = now()`)
    expect(await refused(session, url)).toContain('longer than 10 minutes')
  })

  test('for another sign-in, by its nonce', async () => {
    const session = browser()
    const url = await answer(session)
    await inDatabase(`update oidc_logins set nonce = 'another'`)
    await refused(session, url, 502)
  })

  test('from another provider', async () => {
    const session = browser()
    const url = await answer(session)
    url.searchParams.set('iss', 'https://evil.example')
    await refused(session, url, 502)
  })

  test('when the provider says no, in its words', async () => {
    idp.account = null
    const { status, text } = await signIn()
    expect(status).toBe(403)
    expect(text).toContain('It says: nobody is there &lt;script&gt;')
    expect(text).toContain('<h1>Our &lt;b&gt;IdP&lt;/b&gt; did not sign you in</h1>')
  })
})

test('a provider that does not answer is said to be away, and everything else works', async () => {
  const gone = await startOidcProvider({ redirectUri: CALLBACK })
  const settings = { publicUrl: FORGE, oidc: settingsFor(gone) }
  const alone = await startTestServer({ settings })
  onTestFinished(alone.stop)
  const session = browser(alone)
  const url = await (async () => {
    gone.account = idp.account
    return await answer(session)
  })()
  await gone.close()
  expect((await session.visit(url.href)).status).toBe(502)
  const fresh = await startTestServer({ settings })
  onTestFinished(fresh.stop)
  const response = await browser(fresh).visit(START)
  expect(response.status).toBe(503)
  expect(await response.text()).toContain('Signing in with a password works all the same.')
  expect((await fresh.api('GET', '/session', { token: null })).status).toBe(200)
})

test('one address cannot begin sign-ins without end', async () => {
  const strict = await startTestServer({
    settings: { publicUrl: FORGE, oidc: settingsFor(idp), trustedProxies: ['127.0.0.1/32'] },
  })
  onTestFinished(strict.stop)
  const begin = () =>
    fetch(`${strict.url}/auth/oidc/start`, {
      redirect: 'manual',
      headers: { 'x-forwarded-for': '192.0.2.7' },
    })
  const statuses = new Set<number>()
  for (let count = 0; count < 130; count++) statuses.add((await begin()).status)
  expect([...statuses]).toEqual([303, 429])
})
