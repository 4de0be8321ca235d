import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expireHistory, recordFleet } from '../../../src/store/fleet-history.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const LIMITS = { lateAfterMs: 180_000, offlineAfterMs: 900_000 }
const MINUTE = 60_000

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  const agent = await registerTestAgent(server)
  await agent.report()
  await server.api('POST', '/systems', { body: { hostname: 'unborn' } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  await sql`delete from fleet_history`.execute(server.database.db)
})

const read = async (period: string) => (await server.api('GET', `/fleet/trend?period=${period}`)).body

/** Keeps a count as if it had been made so many minutes ago. */
const keep = (minutes: number, systems: number) =>
  sql`insert into fleet_history (at, counts)
    values (now() - make_interval(mins => ${minutes}), ${JSON.stringify({ systems, liveness: { online: systems }, standing: {} })}::jsonb)`.execute(
    server.database.db,
  )

const rows = async () => {
  const kept = await server.database.db.selectFrom('fleet_history').selectAll().execute()
  return kept.map(({ at }) => at.getTime())
}

describe('keeping', () => {
  test('several servers make one row for a quarter of an hour, which counts what the summary counts', async () => {
    const { db } = server.database
    await Promise.all([recordFleet(db, LIMITS), recordFleet(db, LIMITS), recordFleet(db, LIMITS)])
    await recordFleet(db, LIMITS)
    const kept = await rows()
    // a new quarter may have begun meanwhile
    expect(kept.length).toBeLessThanOrEqual(2)
    expect(kept.every((at) => at % (15 * MINUTE) === 0)).toBe(true)
    const trend = await read('24h')
    expect(trend.systems.at(-1)).toBe(2)
    expect(trend.liveness.online.at(-1)).toBe(1)
    expect(trend.liveness.never_seen.at(-1)).toBe(1)
    expect(trend.standing.unassigned.at(-1)).toBe(1)
    expect(trend.standing.behind.at(-1)).toBe(0)
  })

  test('what is too old is forgotten', async () => {
    await keep(10 * 24 * 60 + 1, 1)
    await keep(10 * 24 * 60 - 1, 2)
    await expireHistory(server.database.db, 10 * 24 * 60 * MINUTE)
    expect(await rows()).toHaveLength(1)
  })
})

describe('a trend', () => {
  test.each([
    ['24h', 15, 96],
    ['7d', 45, 224],
    ['30d', 150, 288],
    ['90d', 480, 270],
    ['400d', 2880, 200],
  ])('of %s has a point every %i minutes, %i of them, up to now', async (period, minutes, count) => {
    const { step_secs, times, systems } = await read(period)
    expect(step_secs).toBe(minutes * 60)
    expect(times).toHaveLength(count)
    expect(systems).toEqual(times.map(() => null))
    const at: number[] = times.map((text: string) => Date.parse(text))
    at.forEach((time, index) => {
      if (index > 0) expect(time - (at[index - 1] ?? 0)).toBe(minutes * MINUTE)
    })
    const age = Date.now() - (at.at(-1) ?? 0)
    expect(age).toBeLessThan(minutes * MINUTE + 5000)
    expect(age).toBeGreaterThan(-5000)
  })

  test('has the last count of each step, and leaves a gap where nobody counted', async () => {
    await keep(0, 10)
    await keep(6 * 45, 20)
    const { systems, liveness } = await read('7d')
    const there = systems.flatMap((count: number | null, index: number) => (count === null ? [] : [index]))
    expect(there).toEqual([systems.length - 7, systems.length - 1])
    expect(there.map((index: number) => systems[index])).toEqual([20, 10])
    expect(liveness.online).toEqual(systems)
  })

  test('of two counts in one step is the later', async () => {
    const { times } = await read('400d')
    const start: string = times.at(-3)
    for (const [hours, systems] of [
      [1, 5],
      [47, 6],
    ] as const)
      await sql`insert into fleet_history (at, counts)
        values (${start}::timestamptz + make_interval(hours => ${hours}), ${JSON.stringify({ systems })}::jsonb)`.execute(
        server.database.db,
      )
    expect((await read('400d')).systems.at(-3)).toBe(6)
    // of a version that counted less
    expect((await read('400d')).liveness.online.at(-3)).toBeNull()
  })

  test('of another period is refused', async () => {
    expect((await server.api('GET', '/fleet/trend?period=1h')).status).toBe(422)
  })
})
