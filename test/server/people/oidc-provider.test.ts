import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ResponseBodyError } from 'openid-client'
import { systemClock } from '../../../src/lib/clock.ts'
import { explainError } from '../../../src/lib/errors.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { createOidcProvider, type OidcSettings } from '../../../src/server/oidc/provider.ts'
import { createBrowserSession } from '../../support/browser-session.ts'
import { startOidcProvider, type TestOidcProvider } from '../../support/oidc-provider.ts'

const REDIRECT = 'https://forge.test/auth/oidc/callback'
const ALICE = {
  sub: 'a-1',
  preferred_username: 'alice',
  name: 'Alice Example',
  email: 'alice@example.org',
  groups: ['infra', 'staff'],
}

let idp: TestOidcProvider
const start = async (options: Partial<Parameters<typeof startOidcProvider>[0]> = {}) => {
  const started = await startOidcProvider({ redirectUri: REDIRECT, ...options })
  started.account = ALICE
  onTestFinished(started.close)
  return started
}
beforeEach(async () => {
  idp = await startOidcProvider({ redirectUri: REDIRECT })
  idp.account = ALICE
})
afterEach(() => idp.close())

const settingsFor = (of: TestOidcProvider, members: Partial<OidcSettings> = {}): OidcSettings => ({
  issuer: of.issuer,
  clientId: of.clientId,
  clientSecret: new Secret(of.clientSecret),
  name: 'a test',
  scopes: ['openid', 'profile'],
  groupsClaim: 'groups',
  roleGroups: { viewer: [], operator: [], admin: [] },
  redirectUri: REDIRECT,
  ...members,
})
const providerOf = (of = idp, members: Partial<OidcSettings> = {}) =>
  createOidcProvider(settingsFor(of, members), systemClock)

/** Goes to the provider and back: what it sends the browser back with. */
const answerTo = async (url: URL) => {
  const { url: back } = await createBrowserSession().follow(
    url.href,
    ({ origin }) => origin === 'https://forge.test',
  )
  return back.search
}
const signIn = async (provider = providerOf()) => {
  const { url, attempt } = await provider.begin()
  return provider.finish(await answerTo(url), attempt)
}

describe('signing in', () => {
  test('says who it is and in which groups, as the provider signed it', async () => {
    expect(await signIn()).toEqual({
      issuer: idp.issuer,
      subject: 'a-1',
      name: 'alice',
      displayName: 'Alice Example',
      groups: ['infra', 'staff'],
    })
  })

  test('asks with PKCE, state and nonce, and never the same', async () => {
    const urls = await Promise.all([1, 2].map(async () => (await providerOf().begin()).url.searchParams))
    for (const name of ['code_challenge', 'state', 'nonce'])
      expect(new Set(urls.map((parameters) => parameters.get(name))).size).toBe(2)
    expect(urls[0]?.get('code_challenge_method')).toBe('S256')
    expect(urls[0]?.get('redirect_uri')).toBe(REDIRECT)
  })

  test('takes groups from the userinfo endpoint of a provider that gives them only there', async () => {
    const other = await start({ claimsIn: 'userinfo' })
    expect(await signIn(providerOf(other))).toMatchObject({ name: 'alice', groups: ['infra', 'staff'] })
  })

  test.each([
    [undefined, []],
    ['infra', ['infra']],
    [[{ name: 'infra' }, 'staff'], ['staff']],
  ])('with the groups %j is in %j', async (groups, expected) => {
    idp.account = { sub: 'b-2', groups }
    expect(await signIn()).toMatchObject({
      issuer: idp.issuer,
      subject: 'b-2',
      name: 'b-2',
      groups: expected,
    })
  })

  test('bears clocks that differ by less than a minute, and no more', async () => {
    const brief = await start({ validSecs: 1 })
    const ahead = (secs: number) => createOidcProvider(settingsFor(brief), () => Date.now() + secs * 1000)
    expect(await signIn(ahead(30))).toMatchObject({ subject: 'a-1' })
    expect(await refusalOf(signIn(ahead(90)))).toContain('JWT timestamp claim value')
  })
})

/** Why it is refused: the messages of the error and its causes, and what the provider calls it. */
const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'it is not'
  } catch (error) {
    const said = error instanceof ResponseBodyError ? ` (${error.error})` : ''
    return `${explainError(error)}${said}`
  }
}

/** A sign-in of which something is changed on the way back. */
const finishing = async (change: {
  query?: (parameters: URLSearchParams) => void
  attempt?: object
  provider?: ReturnType<typeof providerOf>
}) => {
  const provider = change.provider ?? providerOf()
  const { url, attempt } = await provider.begin()
  const parameters = new URLSearchParams(await answerTo(url))
  change.query?.(parameters)
  return provider.finish(`?${parameters.toString()}`, { ...attempt, ...change.attempt })
}

const query = (change: (parameters: URLSearchParams) => void) => ({ query: change })

describe('an answer is refused', () => {
  test.each([
    ['to another sign-in', { attempt: { state: 'another' } }, 'unexpected "state"'],
    ['whose token was made for another', { attempt: { nonce: 'another' } }, 'unexpected JWT claim value'],
    ['to who did not ask for it', { attempt: { codeVerifier: 'x'.repeat(43) } }, '(invalid_grant)'],
    ['of another provider', query((given) => given.set('iss', 'https://other.example')), 'unexpected "iss"'],
    ['that does not say of which provider', query((given) => given.delete('iss')), '"iss"'],
    ['with a code of nobody', query((given) => given.set('code', 'nonsense')), '(invalid_grant)'],
    ['without a code', query((given) => given.delete('code')), 'no authorization code'],
    ['with a state given twice', query((given) => given.append('state', 'x')), '"state"'],
  ])('%s', async (_name, change, reason) => {
    expect(await refusalOf(finishing(change))).toContain(reason)
  })

  test('that was taken already', async () => {
    const provider = providerOf()
    const { url, attempt } = await provider.begin()
    const answer = await answerTo(url)
    await provider.finish(answer, attempt)
    expect(await refusalOf(provider.finish(answer, attempt))).toContain('(invalid_grant)')
  })

  test('of a provider with another secret for us', async () => {
    const provider = providerOf(idp, { clientSecret: new Secret('wrong') })
    expect(await refusalOf(finishing({ provider }))).toContain('server responded with a challenge')
  })

  test('of a person who did not want to', async () => {
    idp.account = null
    await expect(signIn()).rejects.toMatchObject({ error: 'access_denied' })
  })

  test('signed by a key that the provider does not publish', async () => {
    const other = await start({ publishesOtherKey: true })
    expect(await refusalOf(signIn(providerOf(other)))).toContain('JWT signature verification failed')
  })
})

describe('a provider', () => {
  test('that says it is another one is refused', async () => {
    expect(await refusalOf(providerOf(idp, { issuer: `${idp.issuer}/realms/other` }).begin())).toContain(
      'unexpected HTTP response',
    )
  })

  test('that could not be reached is asked again', async () => {
    const provider = providerOf()
    await idp.close()
    expect(await refusalOf(provider.begin())).toContain('ECONNREFUSED')
    const again = await startOidcProvider({ redirectUri: REDIRECT, port: Number(new URL(idp.issuer).port) })
    onTestFinished(again.close)
    expect((await provider.begin()).url.origin).toBe(idp.issuer)
  })
})
