import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { recordFleet } from '../../src/store/fleet-history.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet, reportRunning } from './support/fleet.ts'

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

describe('the overview', () => {
  test('of nothing leads to the first host', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.getByRole('link', { name: 'Add the first host' }).click()
    await page.waitForURL('**/first-host')
    expect(complaints).toEqual([])
  })

  test('says first who provably runs what it should, and each count leads to as many systems', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.getByText('of 4 systems provably run what they should (25 %)').waitFor()
    for (const [region, link, count] of [
      ['Against what they should run', 'In sync', 1],
      ['Against what they should run', 'Behind', 1],
      ['Against what they should run', 'Unmanaged', 1],
      ['Heard of', 'Online', 3],
      ['Heard of', 'Never seen', 1],
    ] as const) {
      await page.goto('/')
      await page
        .getByRole('region', { name: region })
        .getByRole('link', { name: `${link} ${count}` })
        .click()
      await page.getByText(`${count} system${count === 1 ? '' : 's'}`, { exact: true }).waitFor()
      expect(await page.locator('tbody tr[aria-rowindex]').count()).toBe(count)
    }
    expect(complaints).toEqual([])
  })

  test('says what needs somebody, the worst first, with the way there', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    const attention = page.getByRole('region', { name: 'Needs attention' })
    const first = attention.getByRole('row', { name: /Critical Unmanaged/ })
    await first.waitFor()
    expect(await attention.getByRole('row').nth(1).innerText()).toContain('Unmanaged')
    await first.getByRole('link', { name: 'db1' }).click()
    await page.waitForURL('**/systems/db1')
  })

  test('changes by itself when a host reports', async () => {
    const { web2 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('of 4 systems provably run what they should (25 %)').waitFor()
    await reportRunning(web2, 'b2')
    await page.getByText('of 4 systems provably run what they should (50 %)').waitFor()
    await page.getByRole('region', { name: 'Activity' }).getByText('became in sync').first().waitFor()
  })

  test('shows how the fleet stood over time, and in words', async () => {
    await createFleet(server)
    await recordFleet(server.database.db, { lateAfterMs: 180_000, offlineAfterMs: 900_000 })
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.getByRole('img', { name: '1 of 4 systems in sync, 3 online' }).waitFor()
    expect(await page.locator('canvas').count()).toBe(1)
    await page.getByRole('combobox', { name: 'Period' }).selectOption('30d')
    await page.getByRole('img', { name: '1 of 4 systems in sync' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('shows what went wrong in the words of the server, and tries again', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    await page.route(
      '**/fleet/attention*',
      async (route) =>
        await route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          body: JSON.stringify({ type: 'x', title: 'The server cannot answer now', status: 503 }),
        }),
    )
    await page.reload()
    await page.getByText('The server cannot answer now').waitFor()
    await page.unroute('**/fleet/attention*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('row', { name: /Critical Unmanaged/ }).waitFor()
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on it at %i pixels', async (width) => {
    await createFleet(server)
    await recordFleet(server.database.db, { lateAfterMs: 180_000, offlineAfterMs: 900_000 })
    const { page, complaints } = await openAs(browser, server, 'viewer', '/', { colours, width })
    await page.locator('canvas').waitFor()
    await page.getByLabel('Loading').first().waitFor({ state: 'detached' })
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })
})
