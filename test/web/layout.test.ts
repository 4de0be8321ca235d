import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordFleet } from '../../src/store/fleet-history.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { startBrowser } from './support/browser.ts'
import { isLoaded, openAs } from './support/dashboard.ts'
import { createFleet } from './support/fleet.ts'

/** What counts as good: https://web.dev/articles/cls. */
const MOST = 0.1

let server: TestServer
let browser: Browser
let fleet: Awaited<ReturnType<typeof createFleet>>
beforeAll(async () => {
  server = await startTestServer()
  browser = await startBrowser()
  fleet = await createFleet(server)
  await recordFleet(server.database.db, { lateAfterMs: 180_000, offlineAfterMs: 900_000 })
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

/** By how much what was in sight has moved since the page began: https://wicg.github.io/layout-instability/. */
async function layoutShift(page: Page): Promise<number> {
  return Number(
    await page.evaluate(`new Promise((resolve) => {
      new PerformanceObserver((list) => {
        resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0))
      }).observe({ type: 'layout-shift', buffered: true })
      requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => resolve(0))))
    })`),
  )
}

test.each([360, 1280])('nothing moves while a page loads, at %i pixels', async (width) => {
  const { flakeId, two } = fleet
  const { page } = await openAs(browser, server, 'admin', '/sign-in', { width })
  const { body } = await server.api('GET', '/evaluations')
  const { report_id: report } = (await server.api('GET', '/systems/web1')).body
  const moved: Record<string, number> = {}
  for (const path of [
    '/',
    '/systems',
    '/systems/web2',
    `/reports/${report}`,
    '/flakes',
    `/flakes/${flakeId}`,
    `/flakes/${flakeId}/commits/${two.sha}`,
    '/evaluations',
    `/evaluations/${body.evaluations[0].id}`,
    '/enrolment',
    '/first-host',
    '/settings',
  ]) {
    await page.goto(path)
    await page.getByText('Live', { exact: true }).waitFor()
    if (path === '/') await page.locator('canvas').waitFor()
    await isLoaded(page)
    moved[path] = await layoutShift(page)
  }
  expect(Object.entries(moved).filter(([, shift]) => shift >= MOST)).toEqual([])
})
