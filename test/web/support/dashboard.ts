import type { Browser, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import type { Role } from '../../../src/store/api-tokens.ts'
import { addTestUser, signedIn } from '../../support/people.ts'
import type { TestServer } from '../../support/test-server.ts'
import { openPage, type TestPage, type TestPageOptions } from './browser.ts'

/** Opens a page of the dashboard as somebody who has just signed in; the page is closed when the test ends. */
export async function openAs(
  browser: Browser,
  server: TestServer,
  role: Role,
  path: string,
  options?: TestPageOptions,
): Promise<TestPage> {
  const opened = await openPage(browser, server.url, options)
  onTestFinished(opened.close)
  await opened.page.context().addCookies([await cookieOf(server, role)])
  await opened.page.goto(path)
  return opened
}

async function cookieOf(server: TestServer, role: Role) {
  const name = `${role}-${Math.random().toString(36).slice(2, 10)}`
  await addTestUser(server, name, role)
  const [key = '', value = ''] = (await signedIn(server, name)).cookie().split('=')
  return { name: key, value, url: server.url }
}

/** Waits until a page has its title, and nothing on it is still to come. */
export async function isLoaded(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null)
}

/** By how many pixels the page is wider than the window. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    return Math.max(0, scrollWidth - clientWidth)
  })
}
