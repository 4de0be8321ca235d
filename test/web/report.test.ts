import { sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newKey, registerTestAgent, type TestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { createVersion0Agent } from '../support/version-0-agent.ts'
import { expectAccessible, openPage, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'long'.repeat(200)}`
const GENUINE = 'Verified: signed by the key of this system'
const NOT_GENUINE = 'Not genuine: this is not what the system signed'

let server: TestServer
let browser: Browser
let agent: TestAgent
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  server = await startTestServer({ settings: { acceptVersion0: true } })
  agent = await registerTestAgent(server, { hostname: 'web1' })
  return server.stop
})

/** What stands after an element without being in the page. */
const after = (element: Element): string => getComputedStyle(element, '::after').content

/** The address of the report that has just been made. */
async function reported(members: object = {}): Promise<string> {
  const { status, body } = await agent.report(members)
  expect(status).toBe(200)
  return `/reports/${body.accepted}`
}

const step = (page: Page, begins: string) =>
  page
    .getByRole('list', { name: 'Checks' })
    .getByRole('listitem')
    .filter({ hasText: new RegExp(`^${begins}`) })

describe('a report', () => {
  test('is verified in the browser, step by step', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', await reported())
    await page.getByText(GENUINE).waitFor()
    const checks = page.getByRole('list', { name: 'Checks' })
    expect(await checks.getByRole('listitem').count()).toBe(7)
    expect(await checks.getByText('Passed', { exact: true }).count()).toBe(6)
    await step(page, 'Passed The key is one of web1').getByText('; active now').waitFor()
    await step(page, 'Not computed The report before')
      .getByText('It is the first report of the system.')
      .waitFor()
    expect(complaints).toEqual([])
  })

  test('shows the body exactly as received, and what was signed', async () => {
    const path = await reported()
    const { page } = await openAs(browser, server, 'viewer', path)
    const { evidence } = (await server.api('GET', path)).body
    const body = page.getByRole('region', { name: 'The body, exactly as received' })
    expect(await body.locator('pre').textContent()).toBe(
      Buffer.from(evidence.body, 'base64').toString('utf8'),
    )
    await body.getByRole('checkbox', { name: 'Indent it' }).check()
    expect(await body.locator('pre').textContent()).toContain('\n  "version": 1,\n')
    const signed = page.getByRole('region', { name: 'What was signed' })
    await signed.getByText(evidence.signature, { exact: true }).waitFor()
    expect(await signed.locator('pre').textContent()).toContain('"@method": POST\n"@authority": ')
  })

  test('leads to the one before it and to its system', async () => {
    const first = await reported()
    const { page } = await openAs(browser, server, 'viewer', await reported())
    await page.getByText('Continues', { exact: true }).waitFor()
    await step(page, 'Passed The report before').getByText(first.slice('/reports/'.length)).waitFor()
    await page.getByRole('link', { name: first.slice('/reports/'.length) }).click()
    await page.getByText('First', { exact: true }).waitFor()
    expect(decodeURIComponent(page.url())).toContain(first)
    await page.getByText(GENUINE).waitFor()
    await page.getByRole('region', { name: 'The report' }).getByRole('link', { name: 'web1' }).click()
    await page.waitForURL('**/systems/web1')
  })

  test('says on paper what is shortened on the screen, with exact times, and nothing that is only for the screen', async () => {
    const { page } = await openAs(browser, server, 'viewer', await reported())
    await page.getByText(GENUINE).waitFor()
    const about = page.getByRole('region', { name: 'The report', exact: true })
    const runs = about.getByTitle(agent.state.system?.current ?? '')
    const received = about.locator('time').first()
    expect(await received.evaluate(after)).toBe('none')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await runs.evaluate(after)).toContain('/nix/store/')
    expect(await received.evaluate(after)).toMatch(/ at \d\d:\d\d:\d\d UTC/)
    for (const role of ['banner', 'navigation', 'button'] as const)
      expect(await page.getByRole(role).count()).toBe(0)
    const colours = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)
    expect(await colours()).toBe('light')
  })

  test('hands out its evidence as a file', async () => {
    const path = await reported()
    const { page } = await openAs(browser, server, 'viewer', path)
    const waiting = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Evidence' }).click()
    const download = await waiting
    expect(download.suggestedFilename()).toMatch(/^report-[0-9a-f]{12}\.json$/)
    const chunks = await (await download.createReadStream()).toArray()
    expect(JSON.parse(Buffer.concat(chunks).toString('utf8'))).toEqual((await server.api('GET', path)).body)
  })

  test('of an agent of version 0 is verified likewise', async () => {
    const key = newKey()
    const body = { hostname: 'old', public_keys: [key.publicKey.toString('base64')] }
    await server.api('POST', '/systems', { body })
    await createVersion0Agent(server, 'old', key)('/agent/state', { hostname: 'old' })
    const { reports } = (await server.api('GET', '/systems/old/reports')).body
    const { page } = await openAs(browser, server, 'viewer', `/reports/${reports[0].id}`)
    await page.getByText(GENUINE).waitFor()
    await page.getByText('The signature over the body is one of that key').waitFor()
    await step(page, 'Not computed The report before').getByText('Agents of version 0').waitFor()
    await sql`update reports set body = body || ' '::bytea`.execute(server.database.db)
    await page.reload()
    await page.getByText(NOT_GENUINE).waitFor()
  })
})

describe('a report that is not what was signed', () => {
  test.each([
    [
      'its body',
      `body = convert_to(replace(convert_from(body, 'UTF8'), 'Framework', 'Fakework'), 'UTF8')`,
      ['The id of the report', 'Content-Digest, which is signed'],
    ],
    [
      'its signature',
      `signature = overlay(signature placing (case when substr(signature, 60, 1) = 'A' then 'B' else 'A' end) from 60)`,
      ['The signature over method, authority, path and digest'],
    ],
    [
      'the time of its signature',
      `signature_input = regexp_replace(signature_input, 'created=\\d+', 'created=1795434334')`,
      ['The signature over method, authority, path and digest'],
    ],
    [
      'the digest that it names',
      `content_digest = 'sha-256=:${'A'.repeat(43)}=:'`,
      ['Content-Digest, which is signed', 'The signature over method, authority, path and digest'],
    ],
    ['its place in the chain', 'previous = id', ['What is listed of the report']],
  ])('fails where somebody changed %s in the database', async (_, change, failing) => {
    const path = await reported()
    await sql.raw(`update reports set ${change}`).execute(server.database.db)
    const { page } = await openAs(browser, server, 'viewer', path)
    await page.getByText(NOT_GENUINE).waitFor()
    const failed = page.getByRole('listitem').filter({ hasText: /^Failed/ })
    expect(await failed.count()).toBe(failing.length)
    for (const name of failing) expect(await failed.filter({ hasText: name }).count()).toBe(1)
  })

  test('fails when the key of another system stands under its id', async () => {
    const path = await reported()
    const other = newKey().publicKey
    await sql`update keys set public_key = ${other}`.execute(server.database.db)
    const { page } = await openAs(browser, server, 'viewer', path)
    await page.getByText(NOT_GENUINE).waitFor()
    await page
      .getByRole('listitem')
      .filter({ hasText: /^Failed The key id is the thumbprint/ })
      .waitFor()
  })
})

describe('the key of a report', () => {
  test('may be revoked later, which is said', async () => {
    const path = await reported()
    await server.api('DELETE', `/systems/web1/keys/${agent.key.id}`)
    const { page } = await openAs(browser, server, 'viewer', path)
    await page.getByText(GENUINE).waitFor()
    await step(page, 'Passed The key is one of web1')
      .getByText(/; revoked .* UTC, after the report came$/)
      .waitFor()
  })

  test.each([
    ['was revoked before', `update keys set status = 'revoked', revoked_at = now() - interval '1 day'`],
    ['was added after', `update keys set created_at = now() + interval '1 day'`],
    ['is of another system', `update keys set system_id = (select id from systems where hostname = 'web2')`],
  ])('fails where it %s', async (_, change) => {
    const path = await reported()
    await server.api('POST', '/systems', { body: { hostname: 'web2' } })
    await sql.raw(change).execute(server.database.db)
    const { page } = await openAs(browser, server, 'viewer', path)
    await page.getByText(NOT_GENUINE).waitFor()
    await step(page, 'Failed The key is one of web1').waitFor()
    expect(await step(page, 'Failed').count()).toBe(1)
  })
})

describe('the report before', () => {
  test('fails alone where somebody changed it', async () => {
    const first = await reported()
    const path = await reported()
    await sql`update reports set body = body || ' '::bytea
      where id = ${Buffer.from(first.slice(-64), 'hex')}`.execute(server.database.db)
    const { page } = await openAs(browser, server, 'viewer', path)
    await page.getByText('Verified, but the report before it was changed').waitFor()
    await step(page, 'Failed The report before').waitFor()
    expect(await step(page, 'Failed').count()).toBe(1)
    await page.getByRole('link', { name: first.slice('/reports/'.length) }).click()
    await page.getByText(NOT_GENUINE).waitFor()
  })

  test('is said to be gone where retention removed it, and never to have come where it did not', async () => {
    const first = await reported()
    const second = await reported()
    const third = await reported({ previous: `sha256:${'0'.repeat(64)}` })
    await sql`delete from reports where id = ${Buffer.from(first.slice(-64), 'hex')}`.execute(
      server.database.db,
    )
    const { page } = await openAs(browser, server, 'viewer', second)
    await page.getByText(GENUINE).waitFor()
    await step(page, 'Not computed The report before').getByText('retention removed it').waitFor()
    await page.goto(third)
    await page.getByText(GENUINE).waitFor()
    await step(page, 'Not computed The report before').getByText('never arrived').waitFor()
  })
})

test('whose key signed is not claimed while the server does not say it', async () => {
  const path = await reported()
  const { page } = await openAs(browser, server, 'viewer', '/')
  await page.route('**/api/v1/systems/web1/keys', (route) => route.abort())
  await page.goto(path)
  await page.getByText('Signed by its key, and whose key that is was not to be had').waitFor()
  await step(page, 'Not computed The key is one of web1').getByText('Not known').waitFor()
  expect(await page.getByText(GENUINE).count()).toBe(0)
})

describe('a browser that cannot verify', () => {
  test.each([
    [
      'because the page came without TLS',
      `Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })`,
      'not loaded over TLS',
    ],
    [
      'because it has no Ed25519',
      `SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('Unrecognized name', 'NotSupportedError'))`,
      'This browser has no Ed25519',
    ],
  ])('says so and shows no mark, %s', async (_, script, words) => {
    const path = await reported()
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.addInitScript(script)
    await page.goto(path)
    await page.getByText(words).waitFor()
    await page.getByText('Not verified: it cannot be done here').waitFor()
    expect(await page.getByText(GENUINE).count()).toBe(0)
    expect(complaints).toEqual([])
  })
})

test('a report may say anything: it stays text, and as wide as the page', async () => {
  agent.state.fingerprint.hardware.product_name = HOSTILE
  const path = await reported({ extra: HOSTILE.repeat(10) })
  const { page, complaints } = await openAs(browser, server, 'viewer', path, { width: 360 })
  await page.getByText(GENUINE).waitFor()
  expect(await sidewaysScroll(page)).toBe(0)
  expect(await page.locator('img[src=x]').count()).toBe(0)
  expect(complaints).toEqual([])
})

test.each([`sha256:${'0'.repeat(64)}`, 'nonsense'])(
  'a report that there is not is said not to be there: %s',
  async (id) => {
    const { page } = await openAs(browser, server, 'viewer', `/reports/${id}`)
    await page.getByText('There is no report of this id').waitFor()
    await page.getByRole('link', { name: 'All systems, each with its reports' }).click()
    await page.getByRole('heading', { level: 1, name: 'Systems' }).waitFor()
  },
)

test('a report is shown to who has signed in, and to nobody else', async () => {
  const { page, close } = await openPage(browser, server.url)
  await page.goto(await reported())
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  await close()
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on it at %i pixels', async (width) => {
    const { page, complaints } = await openAs(browser, server, 'viewer', await reported(), { colours, width })
    await page.getByText(GENUINE).waitFor()
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })
})
