import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createSetUpToken } from '../../src/store/one-time-links.ts'
import { addTestUser, PASSWORD } from '../support/people.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'
import { expectAccessible, openPage, startBrowser, type TestPageOptions } from './support/browser.ts'

let server: TestServer
let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  server = await startTestServer()
  return server.stop
})

const open = async (path: string, options?: TestPageOptions) => {
  const opened = await openPage(browser, server.url, options)
  onTestFinished(opened.close)
  await opened.page.goto(path)
  return opened
}
const signIn = async (page: Page, name: string, password = PASSWORD): Promise<void> => {
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe('set-up', () => {
  test('leads from the link to the first page, with the link gone from the address', async () => {
    const token = await createSetUpToken(server.database.db)
    const { page, complaints } = await open(`/setup#token=${token}`)
    await page.getByRole('heading', { name: 'Set up Crystal Forge' }).waitFor()
    expect(page.url()).toBe(`${server.url}/setup`)
    await page.getByRole('textbox', { name: 'Name' }).fill('ada')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Make the administrator' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.getByRole('button', { name: 'Account of ada' }).click()
    await page.getByText('admin', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  test('says what is wrong with a link that is not whole or does not work', async () => {
    const { page } = await open('/setup')
    await page.getByText('This page is reached by the whole link').waitFor()
    await page.goto('/setup#token=cfl_wrong')
    await page.getByRole('textbox', { name: 'Name' }).fill('ada')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Make the administrator' }).click()
    await page.getByRole('alert').getByText('the set-up link does not work any more').waitFor()
  })

  test('is asked for where there is no user', async () => {
    const { page } = await open('/')
    await page.getByText('There is no user yet').waitFor()
  })
})

describe('signing in', () => {
  beforeEach(async () => {
    await addTestUser(server, 'ada', 'admin')
  })

  test('leads back to the page that was asked for', async () => {
    const { page, complaints } = await open('/systems?text=web1')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(page, 'ada')
    await page.waitForURL('**/systems?text=web1')
    await page.getByRole('heading', { level: 1, name: 'Systems' }).waitFor()
    expect(complaints).toEqual([])
  })

  test.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'leads nowhere else: %s',
    async (from) => {
      const { page } = await open(`/sign-in?from=${encodeURIComponent(from)}`)
      await signIn(page, 'ada')
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
      expect(page.url()).toBe(`${server.url}/`)
    },
  )

  test('says that the name or the password is not right, and keeps the name', async () => {
    const { page } = await open('/sign-in')
    await signIn(page, 'ada', 'not the password')
    await page.getByRole('alert').getByText('the name or the password is not right').waitFor()
    expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('ada')
    expect(await page.getByLabel('Password').inputValue()).toBe('')
  })

  test('ends by signing out', async () => {
    const { page } = await open('/sign-in')
    await signIn(page, 'ada')
    await page.getByRole('button', { name: 'Account of ada' }).click()
    await page.route('**/api/v1/session', (route) => route.abort())
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('alert').getByText('The server cannot be reached').waitFor()
    await page.unroute('**/api/v1/session')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.goto('/')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('leads from the menu of the account to its page, which nothing covers then', async () => {
    const { page } = await open('/sign-in')
    await signIn(page, 'ada')
    await page.getByRole('button', { name: 'Account of ada' }).click()
    await page.getByRole('link', { name: 'Account' }).click()
    const heading = page.getByRole('heading', { level: 1, name: 'Account' })
    await heading.waitFor()
    await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor({ state: 'hidden' })
    expect(await heading.evaluate((element) => element === document.activeElement)).toBe(true)
  })

  test('is asked for again when the session was ended elsewhere', async () => {
    const { page } = await open('/sign-in')
    await signIn(page, 'ada')
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    const { body } = await server.api('GET', '/users')
    await server.api('DELETE', `/users/${body.users[0].id}/sessions`)
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})

test('what a page reads by itself does not use the session, until somebody touches the page', async () => {
  await addTestUser(server, 'ada', 'admin')
  const { page, close } = await openPage(browser, server.url)
  onTestFinished(close)
  await page.clock.install()
  await page.goto('/sign-in?from=%2Fsettings%2Fjobs')
  await signIn(page, 'ada')
  await page.getByText('No job is known yet').waitFor()
  let said: string | undefined
  page.on('request', (request) => {
    if (request.url().endsWith('/api/v1/jobs'))
      said = request.headers()['crystal-forge-unattended'] ?? 'nothing'
  })
  // a read that is due while the one before is on its way is none
  const lastSays = async (what: string, minutes: string, touch = async (): Promise<void> => {}) =>
    await waitFor(
      async () => {
        await touch()
        await page.clock.fastForward(minutes)
        return said === what
      },
      { what: `a read that says ${what}` },
    )
  await lastSays('1', '06:00')
  let x = 0
  await lastSays('nothing', '01:00', () => page.mouse.move(20 + (x++ % 50), 20))
})

test('a role that is taken away is gone from the page with the next thing that is tried', async () => {
  const { id } = await addTestUser(server, 'oleg', 'operator')
  const { page } = await open('/sign-in?from=%2Fflakes')
  await signIn(page, 'oleg')
  await page.getByRole('button', { name: 'Follow a flake' }).click()
  await page.getByRole('textbox', { name: 'Address' }).fill('github:a/b')
  await server.api('PATCH', `/users/${id}`, { body: { role: 'viewer' } })
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('alert').getByText('this needs the role operator; you have the role viewer').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTitle('This needs the role operator; you are viewer').waitFor()
  await server.api('PATCH', `/users/${id}`, { body: { disabled: true } })
  await page.getByRole('link', { name: 'Systems' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
})

test('a password is chosen by the link of an administrator, once', async () => {
  const { body } = await server.api('POST', '/users', { body: { name: 'vera', role: 'viewer' } })
  const link = new URL(body.password_link.link)
  const { page } = await open(`${link.pathname}${link.hash}`)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByRole('button', { name: 'Account of vera' }).waitFor()
})

test('a password that is too short is not sent', async () => {
  const { page } = await open('/set-password#token=cfl_x')
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Set the password' }).click()
  expect(
    await page.getByLabel('Password').evaluate((input: HTMLInputElement) => input.validity.tooShort),
  ).toBe(true)
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each(['/sign-in', '/setup', '/setup#token=x', '/set-password#token=x'])(
    'axe finds nothing at %s',
    async (path) => {
      const { page, complaints } = await open(path, { colours, width: 360 })
      await page.getByRole('heading', { level: 1 }).waitFor()
      await expectAccessible(page)
      expect(complaints).toEqual([])
    },
  )
})
