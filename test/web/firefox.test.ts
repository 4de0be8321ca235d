import { type Browser, launch, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addTestUser, PASSWORD } from '../support/people.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { createFleet, reportRunning } from './support/fleet.ts'

/** Pages, with words that are on them only once they show what they hold. */
const PAGES = {
  '/': 'of 4 systems provably run what they should',
  '/systems': '4 systems',
  '/systems/web2': '1 later commit changes what it has to run',
  '/systems/web2?tab=facts': 'Laptop 13',
  '/systems/web2?tab=timeline': 'Reported',
  '/flakes': 'github:yourorg/fleet',
  '/evaluations': 'web1',
  '/enrolment': 'Active',
  '/first-host': 'The block comes here',
  '/settings/users': 'People who sign in',
  '/settings/health': 'Database',
  '/settings/audit': 'Who changed what',
}

let server: TestServer
let browser: Browser
let fleet: Awaited<ReturnType<typeof createFleet>>
let page: Page
const complaints: string[] = []
beforeAll(async () => {
  server = await startTestServer()
  fleet = await createFleet(server)
  await addTestUser(server, 'vera', 'admin')
  browser = await launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    timeout: 60_000,
  })
  page = await browser.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
}, 60_000)
afterAll(async () => {
  await browser.close()
  await server.stop()
})

async function shows(text: string): Promise<void> {
  await page.waitForFunction((words) => document.body.innerText.includes(words), { timeout: 15_000 }, text)
}

test('in Firefox one signs in, and every page shows what it holds', async () => {
  await page.goto(`${server.url}/`)
  await page.locator('::-p-aria([name="Name"][role="textbox"])').fill('vera')
  await page.locator('input[type=password]').fill(PASSWORD)
  await page.locator('button[type=submit]').click()
  await shows(PAGES['/'])
  for (const [path, words] of Object.entries(PAGES)) {
    await page.goto(`${server.url}${path}`)
    await shows(words)
  }
  expect(complaints).toEqual([])
}, 120_000)

test('in Firefox a report is verified, and the overview changes by itself', async () => {
  const { report_id: report } = (await server.api('GET', '/systems/web2')).body
  await page.goto(`${server.url}/reports/${report}`)
  await shows('Verified: signed by the key of this system')
  await page.goto(`${server.url}/`)
  await shows('(25 %)')
  await shows('Live')
  await reportRunning(fleet.web2, 'b2')
  await shows('(50 %)')
  expect(complaints).toEqual([])
}, 60_000)
