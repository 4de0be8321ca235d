import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, openPage, startBrowser, type TestPageOptions } from './support/browser.ts'

let server: TestServer
let browser: Browser
beforeAll(async () => {
  server = await startTestServer({ settings: { anonymousRead: true } })
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

const open = async (path: string, options?: TestPageOptions) => {
  const opened = await openPage(browser, server.url, options)
  onTestFinished(opened.close)
  await opened.page.goto(path)
  return opened
}

describe('the dashboard', () => {
  test('leads to its pages by the navigation, and says in the tab and to screen readers where one is', async () => {
    const { page, complaints } = await open('/')
    await page.getByRole('link', { name: 'Systems' }).click()
    const heading = page.getByRole('heading', { level: 1, name: 'Systems' })
    await heading.waitFor()
    expect(await page.title()).toBe('Systems · Crystal Forge')
    expect(await heading.evaluate((element) => element === document.activeElement)).toBe(true)
    expect(complaints).toEqual([])
  })

  test('gives every address of a page to whoever opens or reloads it, and says so when there is none', async () => {
    const { page } = await open('/systems/web1')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.goto('/no/such/page')
    await page.getByRole('heading', { name: 'Not found' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Flakes' }).click()
    await page.getByRole('heading', { level: 1, name: 'Flakes' }).waitFor()
  })

  test('has its pages at the same place, whichever of them is shown', async () => {
    const { page } = await open('/')
    const last = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' })
    const before = await last.boundingBox()
    await page.getByRole('link', { name: 'Enrolment and keys' }).click()
    await page.getByRole('heading', { level: 1, name: 'Enrolment and keys' }).waitFor()
    expect(await last.boundingBox()).toEqual(before)
  })

  test('is reached by keys', async () => {
    const { page } = await open('/')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('web?1')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/systems?text=web%3F1')
    await page.getByRole('heading', { level: 1, name: 'Systems' }).waitFor()
    await page.getByRole('heading', { level: 1 }).focus()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('o')
    await page.waitForURL('**/')
  })

  test('is reached by keys only where they are not turned off, and nothing is open', async () => {
    const { page } = await open('/')
    await page.getByRole('heading', { level: 1 }).waitFor()
    const keys = page.getByRole('button', { name: 'Keys' })
    await keys.click()
    const single = page.getByRole('checkbox', { name: 'Single keys do something' })
    await single.focus()
    await page.keyboard.press('s')
    await single.uncheck()
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await keys.evaluate((element) => element === document.activeElement)).toBe(true)
    await page.keyboard.press('s')
    await keys.click()
    await single.check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('f')
    await page.waitForURL('**/flakes')
    await page.goBack()
    await page.waitForURL(`${server.url}/`)
  })

  test('has the colours that were chosen, after a reload too', async () => {
    const { page } = await open('/', { colours: 'dark' })
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)
    await page.getByRole('button', { name: 'Colours: as the system' }).click()
    expect(await scheme()).toBe('light')
    await page.reload()
    await page.getByRole('button', { name: 'Colours: light' }).click()
    expect(await scheme()).toBe('dark')
  })

  test('says when the server is gone, and heals when it is back', async () => {
    const { page } = await open('/')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.context().setOffline(true)
    server.http.server.closeAllConnections()
    await page.getByText('Offline', { exact: true }).waitFor()
    await page.context().setOffline(false)
    await page.getByText('Live', { exact: true }).waitFor()
  })

  for (const colours of ['light', 'dark'] as const)
    for (const width of [360, 1280, 2560])
      test(`has nothing that axe finds, in ${colours} at ${width} pixels, and never scrolls sideways`, async () => {
        const { page, complaints } = await open('/', { colours, width })
        await page.getByRole('heading', { level: 1 }).waitFor()
        await expectAccessible(page)
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect(overflow).toBeLessThanOrEqual(0)
        expect(complaints).toEqual([])
      })
})

const get = async (path: string, headers: Record<string, string> = {}) =>
  await fetch(`${server.url}${path}`, { headers })

describe('what serves the dashboard', () => {
  test('lets a page have nothing from elsewhere and nothing around it', async () => {
    const { headers } = await get('/', { accept: 'text/html' })
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';font-src 'self';connect-src 'self';" +
        "base-uri 'none';form-action 'self';frame-ancestors 'none'",
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-cache')
  })

  test('sends files that never change, compressed, and leaves the rest of the server as it is', async () => {
    const page = await (await get('/', { accept: 'text/html' })).text()
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? ''
    const asset = await get(script, { 'accept-encoding': 'br' })
    expect(asset.headers.get('content-encoding')).toBe('br')
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    for (const path of [
      '/api/v1/nothing',
      '/agent/nothing',
      '/metrics/nothing',
      '/assets/nothing.js',
      '/assets/..%2f..%2fpackage.json',
    ])
      expect({ path, status: (await get(path, { accept: 'text/html' })).status }).toEqual({
        path,
        status: 404,
      })
    // what is no browser gets no page for an answer
    expect((await get('/', { accept: 'application/json' })).status).toBe(404)
  })
})
