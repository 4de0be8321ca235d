import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet } from './support/fleet.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'x'.repeat(200)}`

let server: TestServer
let browser: Browser
let fleet: Awaited<ReturnType<typeof createFleet>>
beforeAll(async () => {
  server = await startTestServer()
  browser = await startBrowser()
  fleet = await createFleet(server, HOSTILE)
  await server.database.db
    .updateTable('commits')
    .set({ subject: `web: ${HOSTILE}` })
    .execute()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

const searchIn = (page: Page) => page.getByRole('combobox', { name: 'Search systems, flakes and commits' })
const optionsOf = async (page: Page): Promise<string[]> =>
  (await page.getByRole('option').allInnerTexts()).map((text) => text.split('\n')[0] ?? '')

describe('the search of every page', () => {
  test('finds systems while one types, and the arrow keys and Enter lead to one', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('web')
    const systems = page.getByRole('group', { name: 'Systems' })
    await systems.getByRole('option', { name: 'web2' }).waitFor()
    expect((await optionsOf(page)).slice(0, 3)).toEqual([
      'All systems with “web” in their name',
      'web1',
      'web2',
    ])
    expect(await searchIn(page).getAttribute('aria-expanded')).toBe('true')
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp']) await page.keyboard.press(key)
    const active = (await searchIn(page).getAttribute('aria-activedescendant')) ?? ''
    expect(await page.locator(`[id="${active}"]`).innerText()).toContain('web1')
    expect(await page.locator(`[id="${active}"]`).getAttribute('aria-selected')).toBe('true')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/systems/web1')
    expect(await page.getByRole('listbox').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('leads to the list of all that the text names when none is chosen', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/')
    await searchIn(page).fill('db')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/systems?text=db')
    await page.getByText('1 system', { exact: true }).waitFor()
  })

  test('finds flakes, and commits by what they say and by their revision', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/')
    await searchIn(page).fill('yourorg')
    await page.getByRole('group', { name: 'Flakes' }).getByRole('option').click()
    await page.waitForURL(`**/flakes/${fleet.flakeId}`)
    const { sha } = fleet.two
    await searchIn(page).fill(sha.slice(0, 12))
    await page.getByRole('group', { name: 'Commits' }).getByRole('option').click()
    await page.waitForURL(`**/flakes/${fleet.flakeId}/commits/${sha}`)
  })

  test('goes on while the page that was found before is still on its way', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/')
    const arrives = Promise.withResolvers<void>()
    await page.route('**/assets/Flake-*.js', async (route) => {
      await arrives.promise
      await route.continue()
    })
    await searchIn(page).fill('yourorg')
    await page.getByRole('group', { name: 'Flakes' }).getByRole('option').click()
    await searchIn(page).fill(fleet.two.sha.slice(0, 12))
    const commit = page.getByRole('group', { name: 'Commits' }).getByRole('option')
    await commit.waitFor()
    arrives.resolve()
    await page.getByRole('heading', { level: 1 }).filter({ hasText: 'yourorg' }).waitFor()
    await commit.click()
    await page.waitForURL(`**/flakes/${fleet.flakeId}/commits/${fleet.two.sha}`)
  })

  test('says that nothing is like that, and closes at Escape without losing what was typed', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/')
    await searchIn(page).fill('nowhere')
    await page.getByText('Nothing else is like that').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('listbox').waitFor({ state: 'detached' })
    expect(await searchIn(page).inputValue()).toBe('nowhere')
    await page.keyboard.press('ArrowDown')
    await page.getByRole('listbox').waitFor()
    await page.keyboard.press('Tab')
    await page.getByRole('listbox').waitFor({ state: 'detached' })
  })

  for (const colours of ['light', 'dark'] as const)
    for (const width of [360, 1280])
      test(`shows any text as text, and axe finds nothing, in ${colours} at ${width} pixels`, async () => {
        const { page, complaints } = await openAs(browser, server, 'viewer', '/settings', { colours, width })
        await searchIn(page).fill('web')
        await page.getByRole('group', { name: 'Commits' }).getByRole('option').first().waitFor()
        await page.keyboard.press('ArrowDown')
        await page.keyboard.press('ArrowDown')
        expect(await page.locator('img[src=x]').count()).toBe(0)
        await expectAccessible(page)
        expect(await sidewaysScroll(page)).toBe(0)
        expect(complaints).toEqual([])
      })
})
