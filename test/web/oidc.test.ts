import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../src/lib/secret.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc-provider.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { openPage, startBrowser } from './support/browser.ts'

let server: TestServer
let provider: TestOidcProvider
let browser: Browser

/** Server and provider have to know each other's address: it is filled in when both have one, and read at the first sign-in. */
beforeAll(async () => {
  const oidc = {
    issuer: '',
    clientId: '',
    clientSecret: new Secret(''),
    name: 'Our provider',
    scopes: ['openid', 'profile'],
    groupsClaim: 'groups',
    roleGroups: { viewer: ['staff'], operator: ['infra'], admin: ['leads'] },
    redirectUri: '',
  }
  server = await startTestServer({ settings: { oidc } })
  const redirectUri = `${server.url}/auth/oidc/callback`
  provider = await startOidcProvider({ redirectUri })
  const { issuer, clientId, clientSecret } = provider
  Object.assign(oidc, { issuer, clientId, clientSecret: new Secret(clientSecret), redirectUri })
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  await provider.close()
})

test('who signs in with the provider comes back to the page that was asked for, with the role of the groups', async () => {
  provider.account = { sub: '1', preferred_username: 'grace', groups: ['staff', 'infra'] }
  const { page, complaints, close } = await openPage(browser, server.url)
  onTestFinished(close)
  await page.goto('/flakes')
  await page.getByRole('link', { name: 'Sign in with Our provider' }).click()
  await page.waitForURL(`${server.url}/flakes`)
  await page.getByRole('button', { name: 'Account of grace' }).click()
  await page.getByText('operator', { exact: true }).waitFor()
  const follow = page.getByRole('button', { name: 'Follow a flake' })
  expect(await follow.getAttribute('aria-disabled')).toBe('false')
  await page.goto('/settings/account')
  await page.getByText('by Our provider, which has the password').waitFor()
  expect(await page.getByRole('region', { name: 'Password' }).count()).toBe(0)
  expect(complaints).toEqual([])
})

test('who is in no group that counts is told so, and sees nothing', async () => {
  provider.account = { sub: '2', preferred_username: 'eve', groups: ['guests'] }
  const { page, close } = await openPage(browser, server.url)
  onTestFinished(close)
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in with Our provider' }).click()
  await page.getByText(/group/).first().waitFor()
  await page.goto('/')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
})
