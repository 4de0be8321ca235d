import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerJob } from '../../src/store/job-runs.ts'
import { recordDelivery } from '../../src/store/webhook-deliveries.ts'
import { evaluateTestCommit } from '../support/evaluated.ts'
import { addTestUser } from '../support/people.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet, FLAKE } from './support/fleet.ts'
import { HOSTILE, makeHostile } from './support/hostile.ts'

let browser: Browser
let server: TestServer
/** Pages that show a hostile text. */
let pages: string[]
beforeAll(async () => {
  browser = await startBrowser()
  server = await startTestServer()
  const { flakeId, one, two, db1 } = await createFleet(server)
  const { body: report } = await db1.report({ extra: HOSTILE })
  await fillTheRest(flakeId)
  await evaluateTestCommit(server.database.db, one, {
    web1: { cause: 'throw', error: 'no' },
    web2: 'b',
    db1: 'c',
  })
  await makeHostile(server)
  const { evaluations } = (await server.api('GET', '/evaluations')).body
  const idOf = (status: string): number =>
    evaluations.find((each: { status: string }) => each.status === status).id
  const tabs = ['state', 'facts', 'timeline', 'generations', 'online', 'keys', 'reports']
  const sections = ['users', 'tokens', 'webhooks', 'jobs', 'health', 'audit']
  pages = [
    '/',
    '/systems',
    ...tabs.map((tab) => `/systems/web2?tab=${tab}`),
    `/systems/${TEXT}`,
    `/reports/${report.accepted}`,
    '/flakes',
    `/flakes/${flakeId}`,
    ...[one, two].map(({ sha }) => `/flakes/${flakeId}/commits/${sha}`),
    '/evaluations',
    ...['succeeded', 'failed'].map((status) => `/evaluations/${idOf(status)}`),
    '/enrolment',
    `/first-host?host=${TEXT}`,
    ...sections.map((section) => `/settings/${section}`),
  ]
}, 60_000)
afterAll(async () => {
  await browser.close()
  await server.stop()
})

const TEXT = encodeURIComponent(HOSTILE)
/** Addresses with a hostile text, of pages that show it in a field or not at all. */
const ADDRESSES = [
  `/systems?text=${TEXT}`,
  `/evaluations?configuration=${TEXT}`,
  `/enrolment?text=${TEXT}`,
  `/settings/${TEXT}`,
  `/settings/audit?actor=${TEXT}`,
  `/${TEXT}`,
]

/** What a fleet has beside hosts and commits. */
async function fillTheRest(flakeId: number): Promise<void> {
  const { db } = server.database
  await addTestUser(server, 'vera', 'viewer')
  const token = { name: 'rack 7', environment: 'lab', flake_url: FLAKE }
  expect((await server.api('POST', '/enroll-tokens', { body: token })).status).toBe(201)
  await registerJob(db, 'collect-store')
  const instance = { id: crypto.randomUUID(), kind: 'evaluator', host: 'build', version: '1.0.0' } as const
  await db
    .insertInto('instances')
    .values({ ...instance, seen_at: new Date() })
    .execute()
  const push = { provider: 'forgejo', delivery: '1', event: 'push', ref: 'main', after: 'a' }
  const ignored = { repository: 'yourorg/fleet', ignored: 'no such flake', flakeIds: [flakeId] }
  await recordDelivery(db, { ...push, ...ignored }, async () => {})
}

test.each([
  { colours: 'light', width: 360 },
  { colours: 'dark', width: 1280 },
] as const)(
  'texts of 10 kB with markup stay text on every page, no wider than it, in $colours at $width pixels',
  async (way) => {
    const { page, complaints } = await openAs(browser, server, 'admin', '/', way)
    for (const path of [...pages, ...ADDRESSES]) {
      await page.goto(path)
      await isLoaded(page)
      const shown = (await page.locator('main').innerText()).includes('<img src=x')
      const images = await page.locator('img[src=x]').count()
      const sideways = await sidewaysScroll(page)
      const expected = { path, shown: pages.includes(path) ? true : shown, images: 0, sideways: 0 }
      expect({ path, shown, images, sideways }).toEqual(expected)
      await expectAccessible(page)
    }
    // that nothing has such a name is an answer, of which the browser tells
    expect(complaints.filter((each) => !each.startsWith('Failed to load resource'))).toEqual([])
  },
  180_000,
)
