import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillFleet } from '../../bench/fleet-rows.ts'
import { withClient } from '../../src/store/database.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs } from './support/dashboard.ts'

let server: TestServer
let browser: Browser
beforeAll(async () => {
  server = await startTestServer()
  await withClient(server.connection, 'a test', (client) => fillFleet(client, 100_000))
  browser = await startBrowser()
}, 180_000)
afterAll(async () => {
  await browser.close()
  await server.stop()
})

test('the overview of a hundred thousand systems counts what its lists hold', async () => {
  const { page, complaints } = await openAs(browser, server, 'viewer', '/')
  await page.getByText('of 100,000 systems provably run what they should').waitFor()
  const behind = page
    .getByRole('region', { name: 'Against what they should run' })
    .getByRole('link', { name: /Behind/ })
  const count = /[\d,]+$/.exec(await behind.innerText())?.[0] ?? ''
  await behind.click()
  await page.getByText(`${count} systems`, { exact: true }).waitFor()
  expect(complaints).toEqual([])
})

test('a hundred thousand systems are scrolled to the last, with few rows in the page at any time', async () => {
  const { page, complaints } = await openAs(browser, server, 'viewer', '/systems')
  await page.getByText('100,000 systems').waitFor()
  await page.locator('tbody tr[aria-rowindex="5"] a').hover()
  for (let screens = 0; screens < 5; screens += 1) {
    await page.mouse.wheel(0, 5000)
    await page.locator(`tbody tr[aria-rowindex="${Math.floor(((screens + 1) * 5000) / 44) + 2}"] a`).waitFor()
    expect(await page.locator('tbody tr').count()).toBeLessThan(80)
  }
  await expectAccessible(page)
  expect(complaints).toEqual([])
})

test('one of a hundred thousand systems is found while one types', async () => {
  const { body } = await server.api('GET', '/systems?limit=1&sort=since')
  const { hostname } = body.systems[0]
  const { page } = await openAs(browser, server, 'viewer', '/systems')
  await page.getByRole('searchbox', { name: 'Part of the name' }).fill(hostname.slice(5))
  await page.getByText('1 system', { exact: true }).waitFor()
  await page.getByRole('link', { name: hostname }).click()
})

test.each(['/flakes', '/evaluations', '/enrolment', '/settings'])(
  '%s has its heading and no complaint',
  async (path) => {
    const { page, complaints } = await openAs(browser, server, 'admin', path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.getByLabel('Loading').first().waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  },
)
