import { sql } from 'kysely'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { recordRun, registerJob } from '../../src/store/job-runs.ts'
import { recordDelivery } from '../../src/store/webhook-deliveries.ts'
import { addTestFlake } from '../support/evaluated.ts'
import { addTestUser, PASSWORD, signedIn } from '../support/people.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { expectAccessible, startBrowser } from './support/browser.ts'
import { isLoaded, openAs, sidewaysScroll } from './support/dashboard.ts'

const HOSTILE = `<img src=x onerror=alert(1)> \u202Eesrever\u202C ${'long'.repeat(20)}`
const SECTIONS = ['account', 'users', 'tokens', 'webhooks', 'jobs', 'health', 'audit'] as const

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
const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text })
const secretIn = (page: Page) => page.getByRole('dialog').locator('pre').textContent()

describe('the account', () => {
  test('has its password changed by who knows the current one, and nowhere else a session left', async () => {
    const { page, complaints } = await openAs(browser, server, 'viewer', '/settings/account')
    const { body } = await server.api('GET', '/users')
    const [{ name }] = body.users
    const elsewhere = await signedIn(server, name)
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password').fill('another long enough one')
    await button(page, 'Change the password').click()
    await page.getByText('The password is changed').waitFor()
    expect((await elsewhere.api('GET', '/systems')).status).toBe(401)
    expect((await signedIn(server, name).catch(() => null)) === null).toBe(true)
    expect(complaints).toEqual([])
  })

  test('says that the current password is not right', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/settings')
    await page.getByLabel('Current password').fill('not the password')
    await page.getByLabel('New password').fill('another long enough one')
    await button(page, 'Change the password').click()
    await page.getByRole('alert').getByText('the current password is not right').waitFor()
  })

  test('is signed out everywhere', async () => {
    const { page } = await openAs(browser, server, 'viewer', '/settings/account')
    await button(page, 'Sign out everywhere').click()
    await button(page, 'Sign out').click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})

describe('users', () => {
  test('are added with a link that is shown once, and works', async () => {
    const { page, complaints } = await openAs(browser, server, 'admin', '/settings/users')
    await button(page, 'Add a user').click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('vera')
    await page.getByLabel('Role').selectOption('operator')
    await button(page, 'Add').click()
    await page.getByRole('dialog', { name: 'Link for vera' }).waitFor()
    const link = (await secretIn(page)) ?? ''
    expect(link).toMatch(/\/set-password#token=cfl_/)
    await button(page, 'Done').click()
    await rowOf(page, 'vera').getByText('has chosen no password yet').waitFor()
    expect(await page.content()).not.toContain('cfl_')
    const { pathname, hash } = new URL(link)
    await page.goto(`${pathname}${hash}`)
    await page.getByLabel('Password').fill(PASSWORD)
    await button(page, 'Set the password').click()
    await page.getByRole('button', { name: 'Account of vera' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('get another role, are disabled, enabled, given a new link and removed', async () => {
    await addTestUser(server, 'vera', 'viewer')
    const { page } = await openAs(browser, server, 'admin', '/settings/users')
    await button(page, 'Manage vera').click()
    await page.getByLabel('Role').selectOption('operator')
    await button(page, 'Change the role').click()
    await rowOf(page, 'vera').getByText('operator').waitFor()
    const confirmed = async (name: string) => {
      await button(page, name).click()
      await page.getByRole('dialog').last().getByRole('button', { name, exact: true }).click()
    }
    await confirmed('Disable')
    await rowOf(page, 'vera').getByText('Disabled').waitFor()
    await confirmed('Enable')
    await rowOf(page, 'vera').getByText('Disabled').waitFor({ state: 'detached' })
    await button(page, 'New link').click()
    expect(await secretIn(page)).toMatch(/#token=cfl_/)
    await button(page, 'Done').click()
    await button(page, 'Manage vera').click()
    await confirmed('Remove')
    await rowOf(page, 'vera').waitFor({ state: 'detached' })
    expect((await server.api('GET', '/users')).body.users).toHaveLength(1)
  })

  test('who sign in with the provider have no password and no role to be given here', async () => {
    await addTestUser(server, 'grace', 'viewer')
    await sql`update users set issuer = 'https://id.example.org', subject = '1', password = null
      where name = 'grace'`.execute(server.database.db)
    const { page } = await openAs(browser, server, 'admin', '/settings/users')
    await button(page, 'Manage grace').click()
    await page.getByLabel('Role').selectOption('operator')
    for (const [name, why] of [
      ['Change the role', 'The groups at the OpenID provider say the role'],
      ['New link', 'Signs in with the OpenID provider'],
    ] as const)
      expect(await button(page, name).getAttribute('title')).toBe(why)
  })

  test('always have an administrator: the last one is kept in the words of the server', async () => {
    const { page } = await openAs(browser, server, 'admin', '/settings/users')
    const { body } = await server.api('GET', '/users')
    await button(page, `Manage ${body.users[0].name}`).click()
    await page.getByLabel('Role').selectOption('viewer')
    await button(page, 'Change the role').click()
    await page.getByRole('alert').getByText('admin').first().waitFor()
    expect((await server.api('GET', '/users')).body.users[0].role).toBe('admin')
  })
})

describe('API tokens', () => {
  test('are shown once, work, and stop when they are revoked', async () => {
    const { page, complaints } = await openAs(browser, server, 'admin', '/settings/tokens')
    await button(page, 'Make a token').click()
    await page.getByRole('textbox', { name: 'Name' }).fill('ci')
    await page.getByLabel('Lasts').selectOption('30 days')
    await button(page, 'Make').click()
    await page.getByRole('dialog', { name: 'The new token' }).waitFor()
    const token = await secretIn(page)
    expect((await server.api('GET', '/systems', { token })).status).toBe(200)
    await button(page, 'Done').click()
    await rowOf(page, 'ci').waitFor()
    expect(await page.content()).not.toContain(token)
    await button(page, 'Revoke ci').click()
    await button(page, 'Revoke').click()
    await rowOf(page, 'ci').waitFor({ state: 'detached' })
    expect((await server.api('GET', '/systems', { token })).status).toBe(401)
    expect(complaints).toEqual([])
  })
})

describe('webhooks', () => {
  test('are explained for each Git host, and their deliveries listed page by page', async () => {
    const { db } = server.database
    const id = await addTestFlake(db, { url: 'github:yourorg/fleet' })
    const common = {
      provider: 'github',
      event: 'push',
      ref: 'refs/heads/main',
      after: 'a'.repeat(40),
    } as const
    for (let count = 0; count < 50; count += 1)
      await recordDelivery(
        db,
        { ...common, delivery: `d${count}`, repository: HOSTILE, ignored: 'other_branch', flakeIds: [] },
        async () => {},
      )
    await recordDelivery(
      db,
      { ...common, delivery: 'new', repository: 'yourorg/fleet', ignored: null, flakeIds: [id] },
      async () => {},
    )
    const { page, complaints } = await openAs(browser, server, 'viewer', '/settings/webhooks')
    await page.getByLabel('Git host').selectOption('Forgejo')
    await page.getByText(`${server.url}/webhook/forgejo`).waitFor()
    await rowOf(page, 'yourorg/fleet').getByText('Accepted').waitFor()
    expect(await page.getByRole('row').count()).toBe(51)
    await button(page, 'Show more').click()
    await page.getByRole('row').nth(51).waitFor()
    await rowOf(page, 'yourorg/fleet').getByRole('link', { name: 'github:yourorg/fleet' }).click()
    await page.waitForURL(`**/flakes/${id}`)
    expect(complaints).toEqual([])
  })
})

test('jobs are shown with what went wrong', async () => {
  const { db } = server.database
  await registerJob(db, 'poll-flakes')
  await registerJob(db, 'apply-retention')
  await registerJob(db, 'record-history', new Date(Date.now() - 3_600_000))
  await recordRun(db, 'apply-retention', () => Promise.reject(new Error('no <space> left'))).catch(() => {})
  const { page } = await openAs(browser, server, 'viewer', '/settings/jobs')
  await rowOf(page, 'apply-retention').getByText('no <space> left').waitFor()
  await rowOf(page, 'apply-retention').getByText('Failed', { exact: true }).waitFor()
  await rowOf(page, 'poll-flakes').getByText('Never ran').waitFor()
  await rowOf(page, 'record-history').getByText('Overdue').waitFor()
})

/** A job that failed with these words. */
async function failJob({ database: { db } }: TestServer, words: string): Promise<void> {
  await registerJob(db, 'collect-store')
  await recordRun(db, 'collect-store', () => Promise.reject(new Error(words))).catch(() => {})
}

/** As many evaluators as a fleet may have, most of them gone. */
async function addInstances({ database: { db } }: TestServer, host: string): Promise<void> {
  await sql`insert into instances (id, kind, host, version, started_at, seen_at)
    select gen_random_uuid(), 'evaluator', ${host}::text || n, '1.2.3-rc.4', now() - n * interval '1 minute',
      now() - n * interval '1 minute' from generate_series(0, 30) n`.execute(db)
}

test('what a job failed with is shown in full to who asks', async () => {
  await failJob(server, `${'error: '.repeat(100)} the end`)
  const { page } = await openAs(browser, server, 'viewer', '/settings/jobs')
  expect(await rowOf(page, 'collect-store').getByText('the end').isVisible()).toBe(false)
  await rowOf(page, 'collect-store').locator('summary').click()
  await rowOf(page, 'collect-store').getByText('the end').waitFor()
})

test('the health of our own parts is shown', async () => {
  const { page } = await openAs(browser, server, 'viewer', '/settings/health')
  await rowOf(page, 'Database').getByText('Well').waitFor()
})

describe('the audit trail', () => {
  test('is narrowed down in the address, shows before and after, and comes as CSV', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'web1', environment: 'staging' } })
    await server.api('PATCH', '/systems/web1', { body: { environment: 'production' } })
    await server.api('POST', '/systems', { body: { hostname: 'web2' } })
    const { page, complaints } = await openAs(browser, server, 'admin', '/settings/audit')
    await rowOf(page, 'web2').waitFor()
    await page.getByLabel('What was done').selectOption('System changed')
    await button(page, 'Show').click()
    await page.waitForURL('**/settings/audit?action=system.change')
    await rowOf(page, 'web2').waitFor({ state: 'detached' })
    await rowOf(page, 'web1').getByText('staging').waitFor()
    await rowOf(page, 'web1').getByText('production').waitFor()
    const csv = page.getByRole('link', { name: 'CSV of all that is found' })
    const answer = await page.request.get((await csv.getAttribute('href')) ?? '')
    expect(await answer.text()).toContain('system.change')
    expect(await answer.text()).not.toContain('system.add')
    await page.reload()
    await rowOf(page, 'web1').waitFor()
    await page.getByRole('textbox', { name: 'Who' }).fill('nobody')
    await button(page, 'Show').click()
    await page.getByText('No record is like this').waitFor()
    await button(page, 'Clear').click()
    await rowOf(page, 'web2').waitFor()
    expect(complaints).toEqual([])
  })

  test('takes days as the reader has them, the last one too', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'web1' } })
    const today = new Date().toISOString().slice(0, 10)
    const { page } = await openAs(browser, server, 'admin', `/settings/audit?from=${today}&to=${today}`)
    await rowOf(page, 'web1').waitFor()
    await page.goto('/settings/audit?to=2020-01-01&action=nonsense&from=yesterday')
    await page.getByText('No record is like this').waitFor()
  })
})

test.each(['viewer', 'operator'] as const)(
  '%ss see why they do not see people, tokens and the trail',
  async (role) => {
    const { page, complaints } = await openAs(browser, server, role, '/settings')
    for (const name of ['Users', 'API tokens', 'Audit trail']) {
      await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name }).click()
      await page.getByRole('heading', { level: 1, name }).waitFor()
      await page.getByText(`This needs the role admin; you are ${role}`).waitFor()
    }
    expect(complaints).toEqual([])
  },
)

test('an unknown section is not found', async () => {
  const { page } = await openAs(browser, server, 'viewer', '/settings/nothing')
  await page.getByRole('heading', { name: 'Not found' }).waitFor()
})

describe.each(['light', 'dark'] as const)('in %s', (colours) => {
  test.each([360, 1280])('axe finds nothing at %d pixels, and names stay text', async (width) => {
    await server.api('POST', '/users', {
      body: { name: HOSTILE.replace(/[\u202C\u202E]/g, ''), role: 'viewer' },
    })
    await server.createToken('viewer', new Date(Date.now() - 1000))
    await server.api('POST', '/tokens', { body: { name: HOSTILE, role: 'viewer', expires_in_secs: 3600 } })
    await failJob(server, HOSTILE.repeat(10))
    await addInstances(server, HOSTILE)
    const { page, complaints } = await openAs(browser, server, 'admin', '/settings', { colours, width })
    for (const section of SECTIONS) {
      await page.goto(`/settings/${section}`)
      await isLoaded(page)
      await expectAccessible(page)
      expect({ section, scroll: await sidewaysScroll(page) }).toEqual({ section, scroll: 0 })
      expect(await page.locator('img[src="x"]').count()).toBe(0)
    }
    await page.goto('/settings/users')
    await page.getByRole('button', { name: /^Manage admin-/ }).click()
    await page.getByRole('dialog').waitFor()
    await expectAccessible(page)
    expect(complaints).toEqual([])
  })
})
