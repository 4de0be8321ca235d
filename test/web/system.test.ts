import { sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addSystem } from '../../src/store/systems.ts'
import { addTestFlake, evaluateTestCommit, moveTestBranch, pathOf } from '../support/evaluated.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'
import { createFleet, FLAKE, reportRunning } from './support/fleet.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'long'.repeat(230)}`
const TABS = ['State', 'Facts', 'Timeline', 'Generations', 'Online', 'Keys', 'Reports']

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

const drift = (page: Page) => page.getByRole('region', { name: 'Against what it should run' })
const tab = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Parts of this page' }).getByRole('link', { name })

describe('the state of a system', () => {
  test.each([
    ['web1', 'In sync', 'Runs what it has to run.', 'is the same as'],
    ['web2', 'Behind', '1 later commit changes what it has to run.', 'differs from'],
    ['db1', 'Unmanaged', 'Runs a system that none of the searched commits gives.', 'differs from'],
    ['silent', 'No report', 'It has not reported what it runs.', 'cannot be compared with'],
  ])('is said of %s in a word and a sentence', async (hostname, word, sentence, between) => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', `/systems/${hostname}`)
    await drift(page).getByText(word, { exact: true }).waitFor()
    await drift(page).getByText(sentence).waitFor()
    await drift(page).getByText(between).waitFor()
    expect(complaints).toEqual([])
  })

  test('puts what runs beside what should run, with the commits between', async () => {
    const { one, two, flakeId } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems/web2')
    const runs = drift(page).getByRole('region', { name: 'Runs', exact: true })
    await runs.getByTitle(pathOf('b'), { exact: true }).waitFor()
    await runs.getByRole('link', { name: one.sha.slice(0, 10) }).waitFor()
    const should = drift(page).getByRole('region', { name: 'Should run' })
    await should.getByTitle(pathOf('b2'), { exact: true }).waitFor()
    const between = page.getByRole('region', { name: '1 commit between, 1 changes this system' })
    await between.getByRole('row', { name: /subject of two Changes/ }).waitFor()
    await between.getByRole('link', { name: two.sha.slice(0, 10) }).click()
    await page.waitForURL(`**/flakes/${flakeId}/commits/${two.sha}`)
  })

  test('leads to what it runs where that is a commit of another flake', async () => {
    await createFleet(server)
    const { db } = server.database
    const other = await addTestFlake(db, { url: 'github:yourorg/laptops' })
    const [commit] = await moveTestBranch(db, other, ['elsewhere'])
    await evaluateTestCommit(db, commit!, { laptop: 'by-hand' })
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems/db1')
    const runs = drift(page).getByRole('region', { name: 'Runs', exact: true })
    await runs.getByText('(of another flake)').waitFor()
    await runs.getByRole('link', { name: commit!.sha.slice(0, 10) }).click()
    await page.waitForURL(`**/flakes/${other}/commits/${commit!.sha}`)
    await page.getByRole('heading', { level: 1, name: 'subject of elsewhere' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('says what became of the newest commit where another decides', async () => {
    const { flakeId } = await createFleet(server)
    const { db } = server.database
    const commits = await moveTestBranch(db, flakeId, ['one', 'two', 'three'])
    await evaluateTestCommit(db, commits[2]!, { web1: { cause: 'throw', error: 'error: no' } })
    const { page } = await openAs(browser, server, 'viewer', '/systems/web1')
    await drift(page).getByText('its evaluation fails for this system').waitFor()
    await drift(page)
      .getByRole('link', { name: commits[2]!.sha.slice(0, 10) })
      .waitFor()
  })

  test('changes by itself when a report arrives', async () => {
    const { web2 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems/web2')
    await page.getByText('Live', { exact: true }).waitFor()
    await drift(page).getByText('Behind', { exact: true }).waitFor()
    await reportRunning(web2, 'b2')
    await drift(page).getByText('Runs what it has to run.').waitFor()
  })

  test('is that of now on a page that is left open: a system that falls silent is late, then offline', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/')
    await page.clock.install()
    await page.goto('/systems/web1')
    const heard = page.getByRole('region', { name: 'Heard of' })
    await heard.getByText('Online', { exact: true }).waitFor()
    for (const state of ['Late', 'Offline']) {
      await sql`update contacts set last_contact = last_contact - interval '10 minutes'`.execute(
        server.database.db,
      )
      // a read that is due while the one before is on its way is none
      await waitFor(
        async () => {
          await page.clock.fastForward('00:20')
          return await heard.getByText(state, { exact: true }).isVisible()
        },
        { what: `the system to be ${state}` },
      )
    }
    expect(complaints).toEqual([])
  })

  test('shows each flag with the facts that decide it, and an operator acknowledges it', async () => {
    const { web1 } = await createFleet(server)
    await web1.report({ previous: null })
    const { page } = await openAs(browser, server, 'operator', '/systems/web1')
    const flags = page.getByRole('region', { name: 'Flags' })
    await flags.getByText('a report does not follow the one before it').waitFor()
    await flags.getByText('restart', { exact: true }).waitFor()
    await flags.getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
    await flags.getByText('No flag is up').waitFor()
    await tab(page, 'Timeline').click()
    await page.getByRole('listitem').filter({ hasText: 'Chain broken ended' }).waitFor()
  })
})

describe('the parts of a system', () => {
  test('are in one language, whatever the browser prefers', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems/web1', { locale: 'de-DE' })
    const contact = page.getByRole('region', { name: 'Heard of' }).locator('time').first()
    expect(await contact.getAttribute('title')).toMatch(/^\w+day/)
  })

  test('show its facts with what changed, which leads to the report that says so', async () => {
    const { web1 } = await createFleet(server)
    web1.state.fingerprint.hardware.cpu.cores = 12
    await web1.report({ reason: 'state_delta' })
    const { page } = await openAs(browser, server, 'viewer', '/systems/web1?tab=facts')
    const cpu = page.getByRole('region', { name: 'CPU and memory' })
    await cpu.getByText('AMD Ryzen 7 7840U').waitFor()
    await cpu.getByText('31.3 GiB').waitFor()
    const changes = page.getByRole('region', { name: 'What changed, from report to report' })
    await changes.getByRole('row', { name: 'Cores 8 12' }).waitFor()
    await page.getByRole('link', { name: 'signed report' }).waitFor()
    await cpu.getByRole('link', { name: /^changed/ }).click()
    await page.getByRole('heading', { level: 1, name: /^Report / }).waitFor()
  })

  test('are each at an address of their own, and say which is shown', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems/web2')
    await tab(page, 'Timeline').click()
    await page.waitForURL('**/systems/web2?tab=timeline')
    expect(await tab(page, 'Timeline').getAttribute('aria-current')).toBe('page')
    expect(await tab(page, 'State').getAttribute('aria-current')).toBe(null)
    const happened = page.getByRole('region', { name: 'What happened' })
    await happened.getByText('Became Behind, was No report').waitFor()
    await happened.getByText('Came online').waitFor()
    await tab(page, 'Generations').click()
    await page.getByRole('row', { name: /^42 / }).waitFor()
    await tab(page, 'Online').click()
    await page.getByRole('row', { name: /it is online/ }).waitFor()
    await page.getByText('% of the time since it was added').waitFor()
    await tab(page, 'Reports').click()
    await page
      .getByRole('row', { name: /the agent started First/ })
      .getByRole('link')
      .click()
    await page.getByText('Verified: signed by the key of this system').waitFor()
    expect(complaints).toEqual([])
  })

  test('take a new report by themselves', async () => {
    const { web1 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'viewer', '/systems/web1?tab=reports')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('row', { name: /First/ }).waitFor()
    await reportRunning(web1, 'a')
    await page.getByRole('row', { name: /Continues/ }).waitFor()
  })

  test('say that there is nothing, of a system that never reported', async () => {
    await createFleet(server)
    const { page, complaints } = await openAs(browser, server, 'viewer', '/systems/silent')
    await page.getByText('never: it has not reported yet').waitFor()
    for (const [name, words] of [
      ['Facts', 'Nothing is known of the machine'],
      ['Timeline', 'Nothing has happened yet'],
      ['Generations', 'No generation is known'],
      ['Online', 'It was never heard of'],
      ['Keys', 'It has no key yet'],
      ['Reports', 'It has not reported yet'],
    ] as const) {
      await tab(page, name).click()
      await page.getByText(words).waitFor()
    }
    expect(complaints).toEqual([])
  })
})

describe('an operator', () => {
  test('changes what a system has to run', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'operator', '/systems/web2')
    await page.getByRole('button', { name: 'Change' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Pinned path' }).fill('/nix/store/no')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('textbox', { name: 'Pinned path' }).fill(pathOf('b'))
    await dialog.getByRole('textbox', { name: 'Environment' }).fill('')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await drift(page).getByText('In sync', { exact: true }).waitFor()
    expect((await server.api('GET', '/systems/web2')).body).toMatchObject({
      pinned_path: pathOf('b'),
      environment: null,
      flake_url: FLAKE,
    })
  })

  test('changes only what they changed, not back what somebody else changed meanwhile', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'operator', '/')
    await page.clock.install()
    await page.goto('/systems/web2')
    await page.getByRole('button', { name: 'Change' }).click()
    await server.api('PATCH', '/systems/web2', { body: { environment: 'lab' } })
    const shown = page.getByRole('region', { name: 'What is said of it', includeHidden: true })
    await waitFor(
      async () => {
        await page.clock.fastForward('00:20')
        return await shown.getByText('lab', { exact: true }).isVisible()
      },
      { what: 'the other environment to be shown' },
    )
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Pinned path' }).fill(pathOf('b'))
    await dialog.getByRole('button', { name: 'Save' }).click()
    await drift(page).getByText('In sync', { exact: true }).waitFor()
    expect((await server.api('GET', '/systems/web2')).body.environment).toBe('lab')
  })

  test('archives a system and restores it', async () => {
    await createFleet(server)
    const { page } = await openAs(browser, server, 'operator', '/systems/web1')
    await page.getByRole('button', { name: 'Archive' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click()
    await page.getByText('It is archived').waitFor()
    await page.getByRole('button', { name: 'Restore' }).click()
    await drift(page).getByText('In sync', { exact: true }).waitFor()
  })

  test('revokes a key, after being asked', async () => {
    const { web1 } = await createFleet(server)
    const { page } = await openAs(browser, server, 'operator', '/systems/web1?tab=keys')
    await page
      .getByRole('row', { name: /Active/ })
      .getByRole('button', { name: 'Revoke' })
      .click()
    await page.getByRole('dialog').getByText(web1.key.id).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page
      .getByRole('row', { name: /Revoked/ })
      .nth(1)
      .waitFor()
    expect((await web1.heartbeat()).status).toBe(403)
  })

  test('approves a key that waits', async () => {
    await createFleet(server)
    const { body } = await server.api('POST', '/enroll-tokens', {
      body: { name: 'a test', needs_approval: true },
    })
    const agent = createTestAgent(server, { hostname: 'new1' })
    expect((await agent.enroll(body.token)).status).toBe(202)
    const { page } = await openAs(browser, server, 'operator', '/systems/new1?tab=keys')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('dialog').getByText(agent.key.id).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('row', { name: /Active/ }).waitFor()
    expect((await agent.heartbeat()).status).toBe(200)
  })

  test('is told why a declared system is not changed here', async () => {
    await addSystem(
      server.database.db,
      { hostname: 'declared', environment: null, flakeUrl: null, configuration: null, pinnedPath: null },
      true,
    )
    const { page } = await openAs(browser, server, 'operator', '/systems/declared')
    for (const name of ['Change', 'Archive'])
      expect(await page.getByRole('button', { name }).getAttribute('title')).toMatch(
        /^It is declared in the server's configuration: change it there/,
      )
  })
})

test('a viewer is told why nothing can be changed', async () => {
  const { web1 } = await createFleet(server)
  await web1.report({ previous: null })
  const { page } = await openAs(browser, server, 'viewer', '/systems/web1')
  for (const name of ['Change', 'Archive', 'Acknowledge'])
    expect(await page.getByRole('button', { name }).getAttribute('title')).toBe(
      'This needs the role operator; you are viewer',
    )
  await tab(page, 'Keys').click()
  await page.getByRole('button', { name: 'Revoke' }).click({ force: true })
  expect(await page.getByRole('dialog').count()).toBe(0)
})

test('a system that there is not is said not to be there', async () => {
  await createFleet(server)
  const { page } = await openAs(browser, server, 'viewer', '/systems/eb1')
  await page.getByText('There is no system of this name').waitFor()
  await page.getByRole('heading', { level: 1, name: 'eb1' }).waitFor()
  await page.getByRole('link', { name: 'Systems with it in their name' }).click()
  await page.getByRole('row', { name: /^web1/ }).waitFor()
  expect(await page.getByRole('row', { name: /^db1/ }).count()).toBe(0)
})

test('what a host says of itself stays text, and as wide as the page', async () => {
  const { web1 } = await createFleet(server, HOSTILE.slice(0, 250))
  const { hardware, software, network } = web1.state.fingerprint
  hardware.product_name = HOSTILE
  hardware.disks = [{ name: HOSTILE, serial: null, size_bytes: null }]
  software.nixos_version = HOSTILE
  network.interfaces = [{ name: HOSTILE, mac_address: null, addresses: null }]
  expect((await web1.report()).status).toBe(200)
  software.nixos_version = `${HOSTILE}2`
  expect((await web1.report()).status).toBe(200)
  const { page, complaints } = await openAs(browser, server, 'viewer', '/systems/web1', { width: 360 })
  for (const name of TABS) {
    await tab(page, name).click()
    await isLoaded(page)
    expect(await sidewaysScroll(page)).toBe(0)
    expect(await page.locator('img[src=x]').count()).toBe(0)
  }
  expect(complaints).toEqual([])
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on any part at %i pixels', async (width) => {
    const { web2 } = await createFleet(server)
    web2.state.fingerprint.hardware.cpu.cores = 12
    await web2.report({ previous: null })
    const { page, complaints } = await openAs(browser, server, 'operator', '/systems/web2', {
      colours,
      width,
    })
    await page.getByRole('row', { name: /subject of two/ }).waitFor()
    for (const name of TABS) {
      await tab(page, name).click()
      await isLoaded(page)
      await expectAccessible(page)
      expect(await sidewaysScroll(page)).toBe(0)
    }
    expect(complaints).toEqual([])
  })
})
