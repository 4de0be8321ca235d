import { sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'
import { startBrowser } from './support/browser.ts'
import { openAs } from './support/dashboard.ts'
import { createFleet, reportRunning } from './support/fleet.ts'

const EVENTS = '**/api/v1/events'
const HOUR_MS = 3_600_000

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

const inSync = (page: Page, percent: string) =>
  page.getByText(`of 4 systems provably run what they should (${percent})`)

/** The overview of the fleet once it follows the events; its clock is the test's. */
async function openOverview(): Promise<Page> {
  const { page } = await openAs(browser, server, 'viewer', '/sign-in')
  await page.clock.install()
  await page.goto('/')
  await page.getByText('Live', { exact: true }).waitFor()
  await inSync(page, '25 %').waitFor()
  return page
}

describe('a page that is left open', () => {
  test('shows which hosts fell silent, of which no event tells', async () => {
    await createFleet(server)
    const page = await openOverview()
    const heardOf = page.getByRole('region', { name: 'Heard of' })
    await heardOf.getByRole('link', { name: 'Online 3' }).waitFor()
    await server.database.db
      .updateTable('contacts')
      .set({ last_contact: sql<Date>`last_contact - interval '1 hour'` })
      .execute()
    // a read that is due while the one before is on its way is none
    await waitFor(
      async () => {
        await page.clock.fastForward('01:01')
        return await heardOf.getByRole('link', { name: 'Offline 3' }).isVisible()
      },
      { what: 'three hosts to be offline' },
    )
  })

  test('shows what changed while changes go on', async () => {
    const { web2, db1 } = await createFleet(server)
    const page = await openOverview()
    await reportRunning(web2, 'b2')
    // the server answers slowly: only after many more changes
    let reports = 0
    let isOver = false
    await page.route('**/fleet/summary', async (route) => {
      const until = reports + 40
      await waitFor(() => isOver || reports >= until, { timeoutMs: 50_000 })
      await route.continue()
    })
    await waitFor(
      async () => {
        reports += 1
        await reportRunning(db1, `by-hand-${reports}`)
        return await inSync(page, '50 %').isVisible()
      },
      { timeoutMs: 45_000 },
    )
    isOver = true
    await page.unrouteAll({ behavior: 'wait' })
  })

  test('takes the events up again when the server ends them, and makes no words about it', async () => {
    const { web2 } = await createFleet(server)
    const page = await openOverview()
    await page.evaluate(() => {
      const said: string[] = []
      const status = document.querySelector('header output')
      if (status === null) throw new Error('there is no status')
      new MutationObserver(() => said.push(status.textContent)).observe(status, {
        subtree: true,
        childList: true,
        characterData: true,
      })
      Object.assign(window, { said })
    })
    await page.clock.pauseAt(Date.now() + HOUR_MS)
    let isTakenUp = false
    page.on('response', (response) => (isTakenUp ||= response.url().endsWith('/api/v1/events')))
    server.http.server.closeAllConnections()
    await reportRunning(web2, 'b2')
    await waitFor(async () => {
      await page.clock.runFor(200)
      return isTakenUp
    })
    await page.clock.resume()
    await inSync(page, '50 %').waitFor()
    expect(await page.evaluate('window.said')).toEqual([])
  })

  test('leads to the sign-in when its session ends', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/')
    await page.getByText('Live', { exact: true }).waitFor()
    const { body } = await server.api('GET', '/users')
    for (const { id } of body.users) await server.api('DELETE', `/users/${id}/sessions`)
    server.http.server.closeAllConnections()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('says how long ago things were, however long it showed none', async () => {
    await createFleet(server)
    const page = await openOverview()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'API tokens' }).click()
    await page.getByRole('heading', { level: 1, name: 'API tokens' }).waitFor()
    await page.clock.pauseAt(Date.now() + 3 * HOUR_MS)
    await page.getByRole('link', { name: 'Overview' }).click()
    const old = page.getByRole('region', { name: 'Activity' }).getByText('3 hours ago')
    // in steps that add up to less than the clock of the times takes for one
    await waitFor(
      async () => {
        await page.clock.runFor(10)
        return await old.first().isVisible()
      },
      { what: 'times of now' },
    )
  })
})

test('a tab that nobody looks at holds no connection, and shows what changed when somebody does', async () => {
  const { web2 } = await createFleet(server)
  const page = await openOverview()
  const look = async (hidden: boolean): Promise<void> =>
    await page.evaluate((isHidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: isHidden })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/v1/events'))
  await look(true)
  await ended
  await reportRunning(web2, 'b2')
  const followed = page.waitForRequest(EVENTS)
  await look(false)
  await followed
  await inSync(page, '50 %').waitFor()
})
