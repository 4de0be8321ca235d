import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet } from './support/fleet.ts'

/** The pages that lead to all others, with words of each while there is nothing to show. */
const EMPTY = {
  '/': 'No system reports yet',
  '/systems': 'There is no system yet',
  '/flakes': 'No flake is followed yet',
  '/evaluations': 'Nothing is evaluated yet',
  '/enrolment': 'There is no enrolment token',
  '/first-host': 'The block comes here',
  '/settings': 'Sign out everywhere',
  '/settings/users': 'People who sign in',
  '/settings/tokens': 'API tokens',
  '/settings/webhooks': 'No webhook has arrived',
  '/settings/jobs': 'No job is known yet',
  '/settings/health': 'Parts of Crystal Forge',
  '/settings/audit': 'Who changed what',
}
const WIDTHS = [360, 1280, 2560]

let browser: Browser
let empty: TestServer
let filled: TestServer
let fleet: Awaited<ReturnType<typeof createFleet>>
beforeAll(async () => {
  browser = await startBrowser()
  empty = await startTestServer()
  filled = await startTestServer()
  fleet = await createFleet(filled)
})
afterAll(async () => {
  await browser.close()
  await empty.stop()
  await filled.stop()
})

test.each(['light', 'dark'] as const)(
  'each page says that there is nothing, at every width, and axe finds nothing on it, in %s',
  async (colours) => {
    const { page, complaints } = await openAs(browser, empty, 'admin', '/', { colours })
    for (const [path, words] of Object.entries(EMPTY)) {
      await page.goto(path)
      await isLoaded(page)
      await page.getByText(words).first().waitFor()
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 })
        expect({ path, width, sideways: await sidewaysScroll(page) }).toEqual({ path, width, sideways: 0 })
      }
      await expectAccessible(page)
    }
    expect(complaints).toEqual([])
  },
  180_000,
)

test.each(['light', 'dark'] as const)(
  'axe finds nothing on any page of a fleet in %s at 2560 pixels',
  async (colours) => {
    const { page, complaints } = await openAs(browser, filled, 'admin', '/', { colours, width: 2560 })
    const { reports } = (await filled.api('GET', '/systems/web2/reports')).body
    const { evaluations } = (await filled.api('GET', '/evaluations')).body
    const flake = `/flakes/${fleet.flakeId}`
    const pages = [
      '/systems/web2',
      '/systems/web2?tab=facts',
      '/systems/web2?tab=timeline',
      '/systems/web2?tab=reports',
      `/reports/${reports[0].id}`,
      flake,
      `${flake}/commits/${fleet.two.sha}`,
      `/evaluations/${evaluations[0].id}`,
    ]
    for (const path of [...Object.keys(EMPTY), ...pages]) {
      await page.goto(path)
      await isLoaded(page)
      await expectAccessible(page)
      expect({ path, sideways: await sidewaysScroll(page) }).toEqual({ path, sideways: 0 })
    }
    expect(complaints).toEqual([])
  },
  180_000,
)
