import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillEvaluations, fillFleet, fillReports } from '../../bench/fleet-rows.ts'
import { withClient } from '../../src/store/database.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs } from './support/dashboard.ts'

let server: TestServer
let browser: Browser
beforeAll(async () => {
  server = await startTestServer()
  await withClient(server.connection, 'a test', async (client) => {
    await fillFleet(client, 100_000)
    await fillEvaluations(client)
    await fillReports(client, 1)
  })
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

/** Two lists of a page of a hundred, each with its head, and some. */
const MOST_ROWS = 250

/** Each page, with words that are on it only once it shows what it holds. */
async function everyPage(): Promise<Record<string, string>> {
  const { hostname } = (await server.api('GET', '/systems?limit=1&drift=behind')).body.systems[0]
  const { report_id: report } = (await server.api('GET', `/systems/${hostname}`)).body
  const { id: evaluation, sha } = (await server.api('GET', '/evaluations?limit=1')).body.evaluations[0]
  const system = `/systems/${hostname}`
  return {
    '/': 'of 100,000 systems provably run what they should',
    '/systems': '100,000 systems',
    [system]: '3 later commits change what it has to run',
    [`${system}?tab=facts`]: 'Laptop 13',
    [`${system}?tab=timeline`]: 'Reported',
    [`${system}?tab=generations`]: '42',
    [`${system}?tab=online`]: 'Online',
    [`${system}?tab=keys`]: 'Active',
    [`${system}?tab=reports`]: 'Continues',
    [`/reports/${report}`]: 'Not genuine',
    '/flakes': 'commit 199',
    '/flakes/1': 'commit 199',
    [`/flakes/1/commits/${sha}`]: 'Configurations: 100,000 succeeded',
    '/evaluations': 'host-0',
    [`/evaluations/${evaluation}`]: 'x86_64-linux',
    '/enrolment': 'host-f',
    '/first-host': 'The block comes here',
    ...Object.fromEntries(SETTINGS.map(([section, words]) => [`/settings/${section}`, words])),
  }
}

const SETTINGS = [
  ['account', 'Sign out everywhere'],
  ['users', 'Manage'],
  ['tokens', 'API tokens'],
  ['webhooks', 'No webhook has arrived'],
  ['jobs', 'No job is known yet'],
  ['health', 'Database'],
  ['audit', 'Who changed what'],
] as const

test('every page of a hundred thousand systems shows what it holds, in few rows', async () => {
  const { page, complaints } = await openAs(browser, server, 'admin', '/')
  for (const [path, words] of Object.entries(await everyPage())) {
    await page.goto(path)
    await page.waitForFunction((text) => document.querySelector('main')?.innerText.includes(text), words)
    await isLoaded(page)
    expect({ path, many: (await page.getByRole('row').count()) > MOST_ROWS }).toEqual({ path, many: false })
    await expectAccessible(page)
  }
  expect(complaints).toEqual([])
}, 120_000)
