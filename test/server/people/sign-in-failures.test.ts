import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { networkOf } from '../../../src/store/sign-in-failures.ts'
import { keepHashing } from '../../support/keep-hashing.ts'
import { addTestUser, createTestBrowser } from '../../support/people.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { trustedProxies: ['127.0.0.1'] } })
  await addTestUser(server, 'ada', 'admin')
  await addTestUser(server, 'vera', 'viewer')
})
afterAll(() => server.stop())
beforeEach(async () => {
  await sql`truncate sign_in_failures; delete from sessions`.execute(server.database.db)
})

const from = (address: string) => createTestBrowser(server, { 'x-forwarded-for': address })
const fail = async (name: string, address: string, times: number) => {
  const statuses: number[] = []
  for (let time = 0; time < times; time += 1)
    statuses.push((await from(address).signIn(name, 'wrong password')).status)
  return statuses
}
const wait = async (seconds: number) =>
  await sql`update sign_in_failures set last_at = last_at - make_interval(secs => ${seconds})`.execute(
    server.database.db,
  )
/** As if each had failed so much oftener: that the next has to wait does not depend on how long the tries took. */
const failMore = async () =>
  await sql`update sign_in_failures set failures = failures + 10`.execute(server.database.db)
const countRows = async () => {
  const { rows } = await sql<{ count: number }>`select count(*)::int from sign_in_failures`.execute(
    server.database.db,
  )
  return rows[0]?.count
}

describe('failed sign-ins', () => {
  test('of an account from an address are held back after five, twice as long each time, and say how long', async () => {
    expect(await fail('ada', '192.0.2.1', 5)).toEqual([401, 401, 401, 401, 401])
    const held = await from('192.0.2.1').signIn('ada')
    expect(held.status).toBe(429)
    expect(held.body.type).toBe('urn:crystal-forge:problem:slow-down')
    expect(held.headers.get('retry-after')).toBe('1')
    await wait(1)
    expect(await fail('ada', '192.0.2.1', 1)).toEqual([401])
    expect((await from('192.0.2.1').signIn('ada')).headers.get('retry-after')).toBe('2')
    await wait(2)
    expect((await from('192.0.2.1').signIn('ada')).status).toBe(204)
  })

  test('are forgotten by the right password', async () => {
    await fail('ada', '192.0.2.1', 4)
    expect((await from('192.0.2.1').signIn('ada')).status).toBe(204)
    expect(await fail('ada', '192.0.2.1', 5)).toEqual([401, 401, 401, 401, 401])
  })

  test('at once count like one after the other', async () => {
    const tries = Array.from({ length: 20 }, () => from('192.0.2.2').signIn('ada', 'wrong password'))
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(15)
  })

  test('of names that do not exist are held back alike', async () => {
    expect(await fail('nobody', '192.0.2.1', 5)).toEqual([401, 401, 401, 401, 401])
    await failMore()
    expect(await fail('nobody', '192.0.2.1', 1)).toEqual([429])
  })

  test('count for the user whom the database finds by the name, and for no other', async () => {
    await addTestUser(server, 'Émile', 'viewer')
    const { rows } = await sql<{ same: boolean }>`select lower('Émile') = lower('émile') as same`.execute(
      server.database.db,
    )
    await fail('émile', '192.0.2.5', 5)
    await failMore()
    expect((await from('192.0.2.5').signIn('Émile')).status).toBe(rows[0]?.same === true ? 429 : 204)
  })

  test('of many accounts hold the address back, and nobody else', async () => {
    for (let each = 0; each < 30; each += 1) await fail(`name-${each}`, '192.0.2.3', 1)
    await failMore()
    expect((await from('192.0.2.3').signIn('vera')).status).toBe(429)
    expect((await from('192.0.2.4').signIn('vera')).status).toBe(204)
  })

  test('from many addresses never lock its owner out: half a minute at most, and nothing where the owner is known', async () => {
    expect((await from('198.51.100.1').signIn('ada')).status).toBe(204)
    for (let each = 0; each < 40; each += 1) {
      await fail('ada', `203.0.113.${each}`, 1)
      await wait(30)
    }
    await fail('ada', '203.0.113.99', 1)
    const elsewhere = await from('198.51.100.2').signIn('ada')
    expect(elsewhere.status).toBe(429)
    expect(Number(elsewhere.headers.get('retry-after'))).toBeLessThanOrEqual(30)
    expect((await from('198.51.100.1').signIn('ada')).status).toBe(204)
  })

  test('hold nobody back who comes from the network where the owner is known: IPv6 addresses change by the day', async () => {
    expect((await from('2001:db8:1:2::1').signIn('ada')).status).toBe(204)
    for (let each = 0; each < 40; each += 1) await fail('ada', `203.0.113.${each}`, 1)
    expect((await from('2001:db8:1:3::1').signIn('ada')).status).toBe(429)
    expect((await from('2001:db8:1:2:a:b:c:d').signIn('ada')).status).toBe(204)
  })

  test('that have to wait leave nothing behind, whatever name they are for', async () => {
    for (let each = 0; each < 30; each += 1) await fail(`name-${each}`, '192.0.2.11', 1)
    await failMore()
    const before = await countRows()
    for (let each = 0; each < 10; each += 1)
      expect(await fail(`other-${each}`, '192.0.2.11', 1)).toEqual([429])
    expect(await countRows()).toBe(before)
  })

  test('are not those that the server was too busy for', async () => {
    const statuses: number[] = []
    const busy = keepHashing()
    try {
      for (let each = 0; each < 10; each += 1)
        statuses.push((await from('192.0.2.12').signIn('ada', 'wrong password')).status)
    } finally {
      await busy.stop()
    }
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(5)
    expect((await from('192.0.2.12').signIn('ada')).status).toBe(204)
  })

  test('leave no name in the database: people type their passwords there', async () => {
    await fail('my secret password', '192.0.2.9', 1)
    const { rows } = await sql<{
      row: string
    }>`select sign_in_failures::text as row from sign_in_failures`.execute(server.database.db)
    expect(JSON.stringify(rows)).not.toContain('secret')
  })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0DB8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('the address %s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
