import { sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestAgent, newKey, type TestAgent } from '../support/test-agent.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'long'.repeat(20)}`

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

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

async function enrolled(hostname: string, needsApproval: boolean): Promise<TestAgent> {
  const body = { name: `for ${hostname}`, needs_approval: needsApproval }
  const { token } = (await server.api('POST', '/enroll-tokens', { body })).body
  const agent = createTestAgent(server, { hostname })
  await agent.enroll(token)
  return agent
}

describe('enrolment tokens', () => {
  test('are made with everything they can say, shown once, let a host in, and are revoked', async () => {
    const { page, complaints } = await openAs(browser, server, 'operator', '/enrolment')
    await page.getByText('There is no enrolment token').waitFor()
    await button(page, 'Make a token').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('rack 7')
    await dialog.getByRole('spinbutton', { name: 'Hosts' }).fill('3')
    await dialog.getByLabel('Lasts').selectOption('a week')
    await dialog.getByRole('textbox', { name: 'Environment' }).fill('production')
    await dialog.getByRole('checkbox').check()
    await button(page, 'Make').click()
    await page.getByRole('dialog', { name: 'The new enrolment token' }).waitFor()
    const token = (await page.getByRole('dialog').locator('pre').textContent()) ?? ''
    const { enroll_tokens: tokens } = (await server.api('GET', '/enroll-tokens')).body
    expect(tokens[0]).toMatchObject({
      name: 'rack 7',
      uses_left: 3,
      environment: 'production',
      needs_approval: true,
      hostname: null,
    })
    await button(page, 'Done').click()
    expect((await createTestAgent(server, { hostname: 'web1' }).enroll(token)).status).toBe(202)
    expect(await page.content()).not.toContain(token)
    await button(page, 'Revoke rack 7').click()
    await button(page, 'Revoke').click()
    await page.getByText('There is no enrolment token').waitFor()
    expect((await createTestAgent(server, { hostname: 'web2' }).enroll(token)).status).toBe(403)
    expect(complaints).toEqual([])
  })

  test('are made by operators alone, and viewers are told', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/enrolment')
    const why = 'This needs the role operator; you are viewer'
    for (const name of ['Make a token', 'Add a key']) {
      await button(page, name).waitFor()
      expect(await button(page, name).getAttribute('aria-disabled')).toBe('true')
      expect(await button(page, name).getAttribute('title')).toBe(why)
      // who has no pointer sees it too
      await button(page, name).focus()
      const beside = await button(page, name).evaluate((each) => getComputedStyle(each, '::after').content)
      expect(beside).toContain(why)
    }
    await panel(page, 'Enrolment tokens').getByText(why).waitFor()
    expect(complaints).toEqual([])
  })
})

describe('keys', () => {
  test('that wait are approved by their fingerprint, or refused', async () => {
    const good = await enrolled('web1', true)
    const bad = await enrolled('web2', true)
    const { page, complaints } = await openAs(browser, server, 'operator', '/enrolment')
    await button(page, 'Approve the key of web1').click()
    await page.getByRole('dialog').getByText(good.key.id, { exact: true }).waitFor()
    await button(page, 'Approve').click()
    await button(page, 'Approve the key of web1').waitFor({ state: 'detached' })
    expect((await good.report()).status).toBe(200)
    await button(page, `Refuse the key ${bad.key.id.slice(0, 8)} of web2`).click()
    await button(page, 'Refuse').click()
    await page.getByText('No key waits').waitFor()
    expect((await bad.report()).status).toBe(403)
    expect(complaints).toEqual([])
  })

  test('are found by host and status, added and revoked', async () => {
    const agent = await enrolled('web1', false)
    await enrolled('db1', false)
    const { page, complaints } = await openAs(browser, server, 'operator', '/enrolment')
    const keys = panel(page, 'Keys')
    await keys.getByRole('link', { name: 'db1' }).waitFor()
    await keys.getByRole('searchbox', { name: 'Host name' }).fill('web')
    await keys.getByRole('link', { name: 'db1' }).waitFor({ state: 'detached' })
    await button(page, 'Add a key').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'System' }).fill('web1')
    await dialog.getByRole('textbox', { name: 'Public key' }).fill('nonsense')
    await button(page, 'Add').click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('textbox', { name: 'Public key' }).fill(encodeBase64(newKey().publicKey))
    await button(page, 'Add').click()
    await dialog.waitFor({ state: 'detached' })
    await button(page, `Revoke the key ${agent.key.id.slice(0, 8)} of web1`).click()
    await button(page, 'Revoke').click()
    await keys
      .getByRole('row')
      .filter({ hasText: agent.key.id.slice(0, 16) })
      .getByText('Revoked')
      .waitFor()
    await keys.getByRole('combobox', { name: 'Status' }).selectOption('Revoked')
    await page.waitForURL('**/enrolment?status=revoked&text=web')
    expect((await agent.report()).status).toBe(403)
    // the refusal above, which the browser tells of
    expect(complaints).toEqual([expect.stringContaining('422')])
  })

  test('come page by page', async () => {
    await enrolled('web1', false)
    await sql`insert into keys (id, system_id, public_key, status, created_at)
      select 'key' || n, (select min(id) from systems), decode(lpad(to_hex(n), 64, '0'), 'hex'), 'active', '2026-01-01'
      from generate_series(1, 60) n`.execute(server.database.db)
    const { page } = await openAs(browser, server, 'viewer', '/enrolment')
    const rows = panel(page, 'Keys').getByRole('row')
    await rows.nth(50).waitFor()
    await panel(page, 'Keys').getByRole('button', { name: 'Show more' }).click()
    await rows.nth(61).waitFor()
    expect(await rows.count()).toBe(62)
  })
})

test('identity conflicts lead to the systems that have one', async () => {
  await server.api('POST', '/systems', { body: { hostname: 'twin' } })
  await sql`insert into flags (system_id, flag, since, details) select id, 'identity_conflict', now(), '{}' from systems`.execute(
    server.database.db,
  )
  const { page } = await openAs(browser, server, 'viewer', '/enrolment')
  await panel(page, 'Identity conflicts').getByRole('link', { name: 'twin' }).click()
  await page.waitForURL('**/systems/twin')
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing at %d pixels, and names stay text', async (width) => {
    await server.api('POST', '/enroll-tokens', { body: { name: HOSTILE, environment: HOSTILE } })
    await enrolled('a-host.with-a-name.that-is.quite-long.example.org', true)
    await enrolled('web1', false)
    const { page, complaints } = await openAs(browser, server, 'operator', '/enrolment', { colours, width })
    await panel(page, 'Keys').getByRole('link', { name: 'web1' }).waitFor()
    await page.getByText('onerror').first().waitFor()
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    await button(page, 'Make a token').click()
    await page.getByRole('dialog').waitFor()
    await expectAccessible(page)
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
