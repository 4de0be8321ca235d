import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  addTestFlake,
  evaluateTestCommit,
  moveTestBranch,
  pathOf,
  type TestCommit,
} from '../support/evaluated.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'long '.repeat(2000)}`

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

/** A flake with two commits: the second changes web1 of two configurations, and breaks the third. */
async function evaluatedFlake(subject = (name: string) => `subject of ${name}`): Promise<TestCommit[]> {
  const { db } = server.database
  const flake = await addTestFlake(db)
  const commits = await moveTestBranch(db, flake, ['one', 'two'], subject)
  const [one, two] = commits
  if (one === undefined || two === undefined) throw new Error('no commits')
  await evaluateTestCommit(db, one, { web1: 'web1', web2: 'web2', db1: 'db1' })
  const inputs = [
    {
      name: 'nixpkgs',
      type: 'github',
      url: 'github:NixOS/nixpkgs',
      revision: 'b'.repeat(40),
      narHash: null,
      lastModified: null,
    },
  ]
  const broken = { cause: 'throw', error: 'error: db1 is <broken>' }
  await evaluateTestCommit(db, two, { web1: 'web1 anew', web2: 'web2', db1: broken }, inputs)
  await server.api('POST', '/systems', { body: { hostname: 'web1', flake_url: 'github:yourorg/fleet' } })
  return commits
}

describe('flakes', () => {
  test('without any, one is followed from the page', async () => {
    const { page, complaints } = await openAs(browser, server, 'operator', '/flakes')
    await page.getByText('No flake is followed yet').waitFor()
    await page.getByRole('button', { name: 'Follow a flake' }).click()
    await page.getByRole('textbox', { name: 'Address' }).fill('github:yourorg/fleet')
    await page.getByRole('textbox', { name: 'Branch' }).fill('production')
    await page.getByRole('button', { name: 'Follow', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'github:yourorg/fleet' }).waitFor()
    await page.getByText('No commit is known yet').waitFor()
    expect((await server.api('GET', '/flakes')).body.flakes[0]).toMatchObject({ branch: 'production' })
    expect(complaints).toEqual([])
  })

  test('are followed in a dialog that keeps the keys to itself, and gives the focus back', async () => {
    const { page } = await openAs(browser, server, 'operator', '/flakes')
    const follow = page.getByRole('button', { name: 'Follow a flake' })
    await follow.click()
    await page.getByRole('button', { name: 'Cancel' }).focus()
    await page.keyboard.press('s')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await waitFor(() => follow.evaluate((element) => element === document.activeElement))
    expect(page.url()).toBe(`${server.url}/flakes`)
  })

  test('that cannot be followed are refused in the words of the server', async () => {
    const { page } = await openAs(browser, server, 'operator', '/flakes')
    await page.getByRole('button', { name: 'Follow a flake' }).click()
    await page.getByRole('textbox', { name: 'Address' }).fill('ftp://example.org/x')
    await page.getByRole('button', { name: 'Follow', exact: true }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('dialog').isVisible()).toBe(true)
  })

  test('are only looked at by viewers, who are told why', async () => {
    await evaluatedFlake()
    const { page } = await openAs(browser, server, 'viewer', '/flakes')
    const add = page.getByRole('button', { name: 'Follow a flake' })
    await add.waitFor()
    expect(await add.getAttribute('aria-disabled')).toBe('true')
    expect(await add.getAttribute('title')).toBe('This needs the role operator; you are viewer')
    await add.click({ force: true })
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('lead from the list to their commits, and from those to one', async () => {
    const [, two] = await evaluatedFlake()
    const { page } = await openAs(browser, server, 'viewer', '/flakes')
    await page.getByRole('link', { name: 'github:yourorg/fleet' }).click()
    const row = page.getByRole('row', { name: /subject of two/ })
    await row.getByText('1 of 3 changes').waitFor()
    await row.getByText('1 failed').waitFor()
    await row.getByRole('link', { name: two?.sha.slice(0, 10) ?? '' }).click()
    await page.getByRole('heading', { level: 1, name: 'subject of two' }).waitFor()
  })

  test('say of further commits why they cannot be read, where they would be', async () => {
    const flake = await addTestFlake(server.database.db)
    await moveTestBranch(
      server.database.db,
      flake,
      Array.from({ length: 60 }, (_, index) => `c${index}`),
    )
    const { page } = await openAs(browser, server, 'viewer', `/flakes/${flake}`)
    await page.getByRole('row', { name: /subject of c59/ }).waitFor()
    await page.route(
      '**/commits?*after*',
      async (route) =>
        await route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          body: JSON.stringify({ type: 'x', title: 'The server cannot answer now', status: 503 }),
        }),
    )
    await page.getByRole('button', { name: 'Show more' }).click()
    const note = page.getByRole('table').locator('xpath=following::*[@role="alert"]')
    await note.getByText('The server cannot answer now').waitFor()
    await page.unrouteAll()
    await note.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('row', { name: /subject of c0/ }).waitFor()
  })

  test('are followed no longer when nothing is compared with them, and not before', async () => {
    await evaluatedFlake()
    await server.api('POST', '/flakes', { body: { url: 'github:a/unused' } })
    const { page } = await openAs(browser, server, 'operator', '/flakes')
    await page.getByRole('link', { name: 'github:yourorg/fleet' }).click()
    const remove = page.getByRole('button', { name: 'Follow no longer' })
    expect(await remove.getAttribute('title')).toBe(
      '1 system is compared with it: give it another flake first',
    )
    await page.goto('/flakes')
    await page.getByRole('link', { name: 'github:a/unused' }).click()
    await remove.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Follow no longer' }).click()
    await page.waitForURL('**/flakes')
    await page.getByRole('link', { name: 'github:yourorg/fleet' }).waitFor()
    await page.getByRole('link', { name: 'github:a/unused' }).waitFor({ state: 'detached' })
  })
})

const pathTo = ({ flakeId, sha }: TestCommit) => `/flakes/${flakeId}/commits/${sha}`

describe('a commit', () => {
  test('says which systems it changes, what each configuration evaluates to, and from which inputs', async () => {
    const [, two] = await evaluatedFlake()
    const { page, complaints } = await openAs(browser, server, 'viewer', pathTo(two!))
    const changes = page.getByRole('region', { name: 'What it changes: 1 of 3 changes' })
    await changes
      .getByRole('row', { name: /web1 Changes/ })
      .getByRole('link', { name: 'web1' })
      .waitFor()
    await changes.getByRole('row', { name: /db1 Breaks/ }).waitFor()
    expect(await changes.getByRole('row').count()).toBe(3)
    expect(await changes.getByTitle(pathOf('web1 anew')).count()).toBe(1)
    const results = page.getByRole('region', { name: 'Configurations' })
    await results.getByRole('row', { name: /db1 Failed throw/ }).waitFor()
    await page.getByRole('region', { name: 'Inputs' }).getByText('github:NixOS/nixpkgs').waitFor()
    expect(complaints).toEqual([])
  })

  test('shows its results page by page, those that failed first', async () => {
    const { db } = server.database
    const flake = await addTestFlake(db)
    const [commit] = await moveTestBranch(db, flake, ['one'])
    const good = Object.fromEntries(Array.from({ length: 110 }, (_, index) => [`web${index}`, `w${index}`]))
    await evaluateTestCommit(db, commit!, { ...good, zoo: { cause: 'throw', error: 'error: no' } })
    const { page } = await openAs(browser, server, 'viewer', pathTo(commit!))
    const results = page.getByRole('region', { name: /^Configurations: / })
    await results.nth(1).getByRole('row').nth(100).waitFor()
    expect(await results.getByRole('heading').allInnerTexts()).toEqual([
      'Configurations: 1 failed',
      'Configurations: 110 succeeded',
    ])
    await results.nth(0).getByRole('row', { name: /^zoo/ }).waitFor()
    expect(
      await results
        .nth(1)
        .getByRole('row', { name: /^web99 / })
        .count(),
    ).toBe(0)
    await results.nth(1).getByRole('button', { name: 'Show more' }).click()
    await results
      .nth(1)
      .getByRole('row', { name: /^web99 / })
      .waitFor()
  })

  test('shows how far its evaluation is, while it goes on', async () => {
    const { db } = server.database
    const flake = await addTestFlake(db)
    const [commit] = await moveTestBranch(db, flake, ['one'])
    await db.updateTable('commits').set({ status: 'queued' }).execute()
    const { page } = await openAs(browser, server, 'viewer', pathTo(commit!))
    await page.getByText('Queued').waitFor()
    await db.updateTable('commits').set({ status: 'running', started_at: new Date() }).execute()
    await page.getByText('Reading the flake …').waitFor()
    await evaluateTestCommit(db, commit!, { web1: 'web1' })
    await page.getByText('Evaluated', { exact: true }).first().waitFor()
    await page.getByRole('row', { name: /web1 Succeeded/ }).waitFor()
  })

  test('leads to the one before it, and says so to who cannot see it', async () => {
    const [one, two] = await evaluatedFlake()
    const { page } = await openAs(browser, server, 'viewer', pathTo(two!))
    await page.getByRole('link', { name: one!.sha.slice(0, 10) }).click()
    const heading = page.getByRole('heading', { level: 1, name: 'subject of one' })
    await heading.waitFor()
    expect(await heading.evaluate((element) => element === document.activeElement)).toBe(true)
  })

  test('is evaluated again by an operator where something failed', async () => {
    const [, two] = await evaluatedFlake()
    const { page } = await openAs(browser, server, 'operator', pathTo(two!))
    await page.getByRole('button', { name: 'Evaluate again what failed' }).click()
    await page.getByText('Queued').waitFor()
    expect(await server.jobs('evaluate-commit')).toHaveLength(1)
  })

  test('of another flake or none is not there', async () => {
    const [one] = await evaluatedFlake()
    const { page } = await openAs(
      browser,
      server,
      'viewer',
      `/flakes/${one!.flakeId}/commits/${'0'.repeat(40)}`,
    )
    await page.getByRole('alert').getByText('There is no such thing').waitFor()
  })

  test('may have any text for a subject', async () => {
    const [, two] = await evaluatedFlake(() => HOSTILE)
    const { page, complaints } = await openAs(browser, server, 'viewer', `/flakes/${two!.flakeId}`, {
      width: 360,
    })
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
    expect(await sidewaysScroll(page)).toBe(0)
    await page.goto(pathTo(two!))
    await page.getByRole('heading', { level: 1, name: '<img src=x' }).waitFor()
    expect(await sidewaysScroll(page)).toBe(0)
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})

describe('an evaluation', () => {
  test('that failed shows the message of Nix, and is asked for again by an operator', async () => {
    await evaluatedFlake()
    const { page } = await openAs(browser, server, 'operator', '/evaluations?status=failed')
    await page.getByRole('link', { name: 'db1' }).click()
    await page.getByText('error: db1 is <broken>').waitFor()
    await page.getByRole('button', { name: 'Evaluate again' }).click()
    await page.getByRole('link', { name: 'see the commit' }).click()
    await page.getByText('Queued').waitFor()
  })

  test('leads to what its configuration is at other commits, and back to all', async () => {
    await evaluatedFlake()
    const { page } = await openAs(browser, server, 'viewer', '/evaluations?status=failed')
    await page.getByRole('link', { name: 'db1' }).click()
    await page.getByRole('link', { name: 'at its other commits' }).click()
    const its = page.getByRole('region', { name: 'db1 at its commits' })
    await its.getByRole('row', { name: /Failed/ }).waitFor()
    expect(await its.getByRole('row').count()).toBe(3)
    await page.getByRole('link', { name: 'All configurations' }).click()
    await page.getByRole('row', { name: /web2/ }).first().waitFor()
  })

  test('is found by its result, in the address', async () => {
    await evaluatedFlake()
    const { page } = await openAs(browser, server, 'viewer', '/evaluations')
    await page.getByRole('row', { name: /web2/ }).first().waitFor()
    await page.getByRole('combobox', { name: 'Result' }).selectOption('failed')
    await page.waitForURL('**/evaluations?status=failed')
    await page.getByRole('row', { name: /web2/ }).first().waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /db1/ }).waitFor()
    expect(await page.getByRole('row').count()).toBe(2)
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing on any of these pages at %i pixels', async (width) => {
    const [one, two] = await evaluatedFlake()
    const { page, complaints } = await openAs(browser, server, 'viewer', '/flakes', { colours, width })
    const failed = (await server.api('GET', '/evaluations?status=failed')).body.evaluations[0].id
    const flake = `/flakes/${one!.flakeId}`
    for (const path of [
      '/flakes',
      flake,
      `${flake}/commits/${two!.sha}`,
      '/evaluations',
      `/evaluations/${failed}`,
    ]) {
      await page.goto(path)
      await isLoaded(page)
      await expectAccessible(page)
      expect({ path, sideways: await sidewaysScroll(page) }).toEqual({ path, sideways: 0 })
    }
    expect(complaints).toEqual([])
  })
})
