import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { openAs, sidewaysScroll } from './support/dashboard.ts'

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

const block = (page: Page) => page.getByRole('region', { name: '2. Paste this there' }).locator('pre').first()
const make = async (page: Page, hostname: string, flake = ''): Promise<string> => {
  await page.getByRole('textbox', { name: 'Host name' }).fill(hostname)
  await page.getByRole('combobox', { name: 'Flake', exact: true }).fill(flake)
  await page.getByRole('button', { name: 'Make the block' }).click()
  await block(page).waitFor()
  return /cfe_[A-Za-z0-9_-]+/.exec((await block(page).textContent()) ?? '')?.[0] ?? ''
}

describe('the first host', () => {
  test('is led from nothing to its first report, which is shown without a reload', async () => {
    const { page, complaints } = await openAs(browser, server, 'operator', '/first-host')
    await page.getByText('Nobody is waited for yet').waitFor()
    const token = await make(page, 'web1', 'github:yourorg/fleet')
    expect(await block(page).textContent()).toContain(`server_url = "${server.url}"`)
    await page.getByText('Waiting for web1').waitFor()
    const agent = createTestAgent(server, { hostname: 'web1' })
    expect((await agent.enroll(token)).status).toBe(201)
    await page.getByText('web1 is known').waitFor()
    await agent.report()
    await page.getByText('web1 reports').waitFor()
    const { body } = await server.api('GET', '/systems/web1')
    expect(body.flake_url).toBe('github:yourorg/fleet')
    await page.getByRole('link', { name: 'See what it runs' }).click()
    await page.waitForURL('**/systems/web1')
    expect(complaints).toEqual([])
  })

  test('is waited for after a reload too, with the token gone from the page', async () => {
    const { page } = await openAs(browser, server, 'operator', '/first-host')
    const token = await make(page, 'web1')
    await page.waitForURL('**/first-host?host=web1')
    await page.reload()
    await page.getByText('Waiting for web1').waitFor()
    expect(await page.content()).not.toContain(token)
  })

  test('waits for approval under a name that is taken', async () => {
    const { page } = await openAs(browser, server, 'operator', '/first-host')
    await createTestAgent(server, { hostname: 'web1' }).enroll(await make(page, 'web1'))
    await page.getByText('web1 is known').waitFor()
    await server.api('PUT', '/systems/web1/archived')
    const again = await make(page, 'web1')
    expect((await createTestAgent(server, { hostname: 'web1' }).enroll(again)).status).toBe(202)
    await page.getByText('web1 waits for approval').waitFor()
  })

  test('has a block for hosts without the module, which can be copied', async () => {
    const { page } = await openAs(browser, server, 'operator', '/first-host')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await make(page, 'web1')
    await page.getByRole('radio', { name: 'Without it' }).check()
    expect(await block(page).textContent()).toContain('exec crystal-forge agent')
    await page.getByRole('button', { name: 'Copy block' }).click()
    await page.getByText('Copied').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await block(page).textContent())
  })

  test('is refused with the words of the server, and nothing typed becomes part of the block', async () => {
    const { page } = await openAs(browser, server, 'operator', '/first-host')
    await page.getByRole('textbox', { name: 'Host name' }).fill("x'; rm -rf / #<img src=x>")
    await page.getByRole('button', { name: 'Make the block' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByText('The block comes here').waitFor()
  })

  test('is let in by operators alone, and viewers are told', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/first-host')
    const button = page.getByRole('button', { name: 'Make the block' })
    await button.waitFor()
    expect(await button.getAttribute('aria-disabled')).toBe('true')
    await page.getByText('This needs the role operator; you are viewer').waitFor()
    expect(complaints).toEqual([])
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing at %d pixels', async (width) => {
    const { page, complaints } = await openAs(browser, server, 'operator', '/first-host', { colours, width })
    await page.getByRole('heading', { level: 1 }).waitFor()
    await expectAccessible(page)
    await make(page, 'web1')
    await page.getByText('Waiting for web1').waitFor()
    await expectAccessible(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(complaints).toEqual([])
  })
})
