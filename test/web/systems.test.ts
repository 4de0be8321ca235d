import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fillFleet } from '../../bench/fleet-rows.ts'
import { withClient } from '../../src/store/database.ts'
import { registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet, reportRunning } from './support/fleet.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'x'.repeat(200)}`

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

const names = async (page: Page): Promise<string[]> =>
  await page.locator('tbody tr[aria-rowindex] td:first-child').allInnerTexts()

describe('the list of systems', () => {
  test('says what to do while there is none', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByText('There is no system yet').waitFor()
    await page.getByRole('link', { name: 'Let the first host report' }).click()
    await page.waitForURL('**/first-host')
    expect(complaints).toEqual([])
  })

  test('is filtered by what is chosen and typed, which stands in the address and survives a reload', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByText('4 systems').waitFor()
    await page.getByRole('combobox', { name: 'Drift' }).selectOption('Behind')
    await page.getByText('1 system', { exact: true }).waitFor()
    expect(await names(page)).toEqual(['web2'])
    await page.waitForURL('**/systems?standing=behind')
    await page.reload()
    await page.getByText('1 system', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Clear' }).click()
    await page.getByText('4 systems').waitFor()
    await page.getByRole('searchbox', { name: 'Part of the name' }).fill('web')
    await page.getByText('2 systems').waitFor()
    expect(await names(page)).toEqual(['web1', 'web2'])
    await page.getByRole('searchbox', { name: 'Part of the name' }).fill('nothing')
    await page.getByText('No system is like that').waitFor()
    await page.getByRole('link', { name: 'Show all systems' }).click()
    await page.getByText('4 systems').waitFor()
    expect(complaints).toEqual([])
  })

  test('is searched while one types, at any pace', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByText('4 systems').waitFor()
    const name = page.getByRole('searchbox', { name: 'Part of the name' })
    await name.click()
    await page.keyboard.type('w')
    await page.waitForURL('**/systems?text=w')
    await page.getByText('2 systems').waitFor()
    await page.keyboard.type('eb2')
    await page.getByText('1 system', { exact: true }).waitFor()
    expect(await name.inputValue()).toBe('web2')
    await page.getByRole('link', { name: 'Clear' }).click()
    await page.getByText('4 systems').waitFor()
    expect(await name.inputValue()).toBe('')
  })

  test('takes what is valid of an address that anybody may have written', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(
      browser,
      server,
      'viewer',
      '/systems?standing=nonsense&flake=x&sort=%3Cb%3E&text=web',
    )
    await page.getByText('2 systems').waitFor()
    expect(complaints).toEqual([])
  })

  test('begins at its top when it is filtered, wherever one was in it, and goes on to its end', async () => {
    await withClient(server.connection, 'a test', (client) => fillFleet(client, 1200))
    const { page } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByText('1,200 systems').waitFor()
    await page.locator('tbody tr[aria-rowindex="5"] a').hover()
    await page.mouse.wheel(0, 100_000)
    await page.locator('tbody tr[aria-rowindex="1201"] a').waitFor()
    expect(await page.locator('tbody tr').count()).toBeLessThan(60)
    await page.getByRole('searchbox', { name: 'Part of the name' }).fill('host-7')
    await page.getByText('1,200 systems').waitFor({ state: 'detached' })
    await page.locator('tbody tr[aria-rowindex="2"] a').getByText('host-7').waitFor()
  })

  test('leads to a system without loading the page anew, and in another tab when one asks for that', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems')
    await page.evaluate('window.isSame = true')
    const link = page.getByRole('link', { name: 'web2' })
    const other = page.context().waitForEvent('page')
    await link.click({ modifiers: ['ControlOrMeta'] })
    await (await other).waitForURL('**/systems/web2')
    await link.click()
    await page.getByRole('heading', { name: 'web2', level: 1 }).waitFor()
    expect(await page.evaluate('window.isSame')).toBe(true)
    expect(complaints).toEqual([])
  })

  test('is sorted by a column, the worst first', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByRole('button', { name: 'Drift' }).click()
    await page.waitForURL('**/systems?sort=drift')
    await page.locator('tbody tr').first().getByText('db1').waitFor()
    expect(await names(page)).toEqual(['db1', 'web2', 'silent', 'web1'])
    expect(await page.getByRole('columnheader', { name: 'Drift' }).getAttribute('aria-sort')).toBe(
      'descending',
    )
  })

  test('has the columns that were chosen, after a reload too', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByRole('checkbox', { name: 'NixOS' }).check()
    await page.getByRole('checkbox', { name: 'Flags' }).uncheck()
    await page.reload()
    await page.getByRole('columnheader', { name: 'NixOS' }).waitFor()
    expect(await page.getByRole('columnheader', { name: 'Flags' }).count()).toBe(0)
  })

  test('comes as CSV as it is filtered', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems?standing=behind')
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'CSV' }).click()
    const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('web2')
  })

  test('changes by itself when a host reports, but not while somebody points at it', async () => {
    const { web2, db1 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems?sort=drift')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('row', { name: /web2 Behind/ }).waitFor()
    await reportRunning(web2, 'b2')
    await page.getByRole('row', { name: /web2 In sync/ }).waitFor()

    // what it runs is shown at once, where it stands only when that moves nothing under the pointer
    await page.getByRole('row', { name: /db1 Unmanaged/ }).hover()
    await reportRunning(db1, 'c')
    await page.getByRole('row', { name: /db1 In sync/ }).waitFor()
    await page.getByRole('button', { name: 'Show what changed' }).waitFor()
    expect(await names(page)).toEqual(['db1', 'silent', 'web1', 'web2'])
    // by a key, as the button is gone once the pointer has left the list on its way to it
    await page.getByRole('button', { name: 'Show what changed' }).press('Enter')
    await page.locator('tbody tr').first().getByText('silent').waitFor()
    expect(await names(page)).toEqual(['silent', 'web1', 'web2', 'db1'])
    expect(await page.getByRole('button', { name: 'Show what changed' }).count()).toBe(0)
  })

  test('changes in sight however far one has scrolled', async () => {
    await withClient(server.connection, 'a test', (client) => fillFleet(client, 1200))
    const last = await registerTestAgent(server, { hostname: 'the-last' })
    const { page } = await openAs(browser, server, 'viewer', '/systems')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.locator('tbody tr[aria-rowindex="5"] a').hover()
    await page.mouse.wheel(0, 100_000)
    await page.getByRole('row', { name: /the-last No report/ }).waitFor()
    await reportRunning(last, 'a')
    await page.getByRole('row', { name: /the-last Unassigned/ }).waitFor()
    expect(await page.getByRole('button', { name: 'Show what changed' }).count()).toBe(0)

    await server.api('POST', '/systems', { body: { hostname: 'the-very-last' } })
    await reportRunning(last, 'b')
    await page.getByRole('button', { name: 'Show what changed' }).click()
    await page.getByText('1,202 systems').waitFor()
    await page.locator('tbody tr[aria-rowindex="2"] a').waitFor()
  })

  test('has a system that comes to be in it, and lets go of one that leaves it', async () => {
    const { web2, db1 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems?standing=in_sync')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('1 system', { exact: true }).waitFor()
    await reportRunning(web2, 'b2')
    await page.getByText('2 systems').waitFor()
    expect(await names(page)).toEqual(['web1', 'web2'])
    await page.getByRole('row', { name: /web1/ }).hover()
    await reportRunning(db1, 'c')
    await page.getByRole('button', { name: 'Show what changed' }).waitFor()
    expect(await names(page)).toEqual(['web1', 'web2'])
    await page.mouse.move(0, 0)
    await page.getByText('3 systems').waitFor()
  })

  test('is a list of cards where there is no room for columns, in any order', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems', { width: 360 })
    const cards = page.locator('tbody tr[aria-rowindex]')
    await cards.first().waitFor()
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual(['Systems'])
    expect(await cards.nth(2).innerText()).toMatch(/web1\s+production\s+In sync\s+Online\s+heard of just now/)
    await page.getByRole('combobox', { name: 'Order' }).selectOption('The worst first')
    await cards.first().getByText('Unmanaged').waitFor()
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.getByRole('columnheader', { name: 'Drift' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('shows any text as text', async () => {
    await createFleet(server, HOSTILE)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems', { width: 360 })
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })

  test('is found by the search of every page', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('db')
    await page.keyboard.press('Enter')
    await page.getByText('1 system', { exact: true }).waitFor()
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on it at %i pixels', async (width) => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems', { colours, width })
    await page.getByRole('row', { name: /web2/ }).waitFor()
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })
})
