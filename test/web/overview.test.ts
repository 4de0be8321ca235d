import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { recordFleet } from '../../src/store/fleet-history.ts'
import { evaluateTestCommit, moveTestBranch } from '../support/evaluated.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'
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
    const items = attention.getByRole('list', { name: 'The worst first' }).getByRole('listitem')
    await items.first().waitFor()
    expect(await items.first().innerText()).toMatch(/Critical\s+db1 production\s+.*\s+Unmanaged: runs /)
    expect(await items.last().innerText()).toContain('Never seen')
    await items.first().getByRole('link', { name: 'db1' }).click()
    await page.waitForURL('**/systems/db1')
  })

  test('leads from a newest commit that fails for a system to what Nix said', async () => {
    const { flakeId } = await createFleet(server)
    const { db } = server.database
    const [, , three] = await moveTestBranch(db, flakeId, ['one', 'two', 'three'])
    await evaluateTestCommit(db, three!, { web1: { cause: 'throw', error: 'error: no disk' } })
    const { page } = await openAs(browser, server, 'viewer', '/')
    const attention = page.getByRole('region', { name: 'Needs attention' })
    await attention
      .getByRole('listitem')
      .filter({ hasText: 'web1' })
      .getByText('Newest commit fails: ')
      .waitFor()
    await attention.getByRole('link', { name: 'throws an error' }).click()
    await page.getByText('error: no disk').waitFor()
  })

  test('changes by itself when a host reports', async () => {
    const { web2 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('of 4 systems provably run what they should (25 %)').waitFor()
    await reportRunning(web2, 'b2')
    await page.getByText('of 4 systems provably run what they should (50 %)').waitFor()
    await page
      .getByRole('region', { name: 'Activity' })
      .getByRole('listitem')
      .filter({ hasText: /^web2 became\s*In sync/ })
      .waitFor()
  })

  test('has as many systems in a list as each kind of what needs attention says', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    const kinds = page.getByRole('list', { name: 'How many of each kind' }).getByRole('link')
    await kinds.first().waitFor()
    expect(await kinds.allTextContents()).toEqual(['Unmanaged 1', 'Never seen 1'])
    for (const name of ['Unmanaged 1', 'Never seen 1']) {
      await page.goto('/')
      await kinds.filter({ hasText: name }).click()
      await page.getByText('1 system', { exact: true }).waitFor()
    }
  })

  test('shows how the fleet stood over time, in a chart, in words and as a table in which gaps stay gaps', async () => {
    await createFleet(server)
    await recordFleet(server.database.db, { lateAfterMs: 180_000, offlineAfterMs: 900_000 })
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.getByRole('img', { name: '1 of 4 systems in sync, 3 online' }).waitFor()
    expect(await page.locator('canvas').count()).toBe(1)
    await page.getByRole('combobox', { name: 'Period' }).selectOption('30d')
    await page.getByRole('img', { name: '1 of 4 systems in sync' }).waitFor()
    await page.getByText('As a table').click()
    const rows = page.getByRole('region', { name: 'Over time, as a table' }).getByRole('row')
    await rows.first().waitFor()
    expect(await rows.nth(0).getByRole('columnheader').allInnerTexts()).toEqual([
      'Time',
      'In sync',
      'Online',
      'Systems',
    ])
    expect(await rows.nth(1).getByRole('cell').allInnerTexts()).toEqual(['1', '3', '4'])
    expect(await rows.nth(2).getByRole('cell').allInnerTexts()).toEqual([
      'not counted',
      'not counted',
      'not counted',
    ])
    await expectAccessible(page)
    expect(complaints).toEqual([])
  })

  test('shows any text as text', async () => {
    const hostile = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'x'.repeat(10_000)}`
    await createFleet(server, hostile.slice(0, 256))
    await server.database.db.updateTable('commits').set({ subject: hostile, author: hostile }).execute()
    await server.database.db
      .updateTable('flakes')
      .set({ sync_failed_at: new Date(), sync_error: hostile })
      .execute()
    const { page, complaints } = await openAs(browser, server, 'viewer', '/', { width: 360 })
    await page.getByText('Git cannot be read: <img src=x onerror=alert(1)>').waitFor()
    await page.getByRole('region', { name: 'Activity' }).getByText('<img src=x').first().waitFor()
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(await sidewaysScroll(page)).toBe(0)
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
    await page.route('**/fleet/attention*', async (route) => await route.fulfill({ body: '<p>a proxy</p>' }))
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('The dashboard could not do this').waitFor()
    await page.unroute('**/fleet/attention*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Unmanaged: runs').waitFor()
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on it at %i pixels', async (width) => {
    await createFleet(server)
    await recordFleet(server.database.db, { lateAfterMs: 180_000, offlineAfterMs: 900_000 })
    const { page, complaints } = await openAs(browser, server, 'viewer', '/', { colours, width })
    await page.locator('canvas').waitFor()
    await isLoaded(page)
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })
})
