import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { createDatabase, type Database } from '../../src/store/database.ts'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { recordReport } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addStoredSystem,
  heartbeatOf,
  nextSequence,
  reportOf,
  type StoredSystem,
} from '../support/entries.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'

let store: TestDatabase
let view: StoreView
let system: StoredSystem
let count = 0

beforeAll(async () => {
  store = await createTestDatabase()
  view = createStoreView(store.database.db)
})
afterAll(() => store.drop())
beforeEach(async () => {
  system = await addStoredSystem(store.database.db, `host${(count += 1)}`)
})

describe('a batch', () => {
  test('gives its outcomes in the order of its entries', async () => {
    const systems = [system]
    for (const name of ['x', 'y', 'z'])
      systems.push(await addStoredSystem(store.database.db, `${name}-${system.hostname}`))
    const entries = systems.toReversed().map((each) => heartbeatOf(each))
    await recordHeartbeats(store.database.db, entries.slice(1, 2))
    const again = await recordHeartbeats(
      store.database.db,
      entries.map((entry, index) => (index === 3 ? { ...entry, sequence: 7 } : entry)),
    )
    expect(again.map(({ result }) => result)).toEqual(['recorded', 'replayed', 'recorded', 'recorded'])
  })

  test('may be empty', async () => {
    expect(await recordHeartbeats(store.database.db, [])).toEqual([])
  })

  test('with a system named twice is a mistake of the caller', async () => {
    const entries = [heartbeatOf(system), heartbeatOf(system)]
    await expect(recordHeartbeats(store.database.db, entries)).rejects.toThrow('one of each system')
  })
})

const shuffled = (systems: StoredSystem[], round: number) => {
  const rank = ({ systemId }: StoredSystem) => (systemId * 7919) % (round + 13)
  return systems.toSorted((a, b) => rank(a) - rank(b))
}

describe('many systems', () => {
  const SYSTEMS = 60
  let fleet: StoredSystem[]
  let servers: Database[]

  beforeAll(async () => {
    fleet = []
    for (let index = 0; index < SYSTEMS; index += 1)
      fleet.push(await addStoredSystem(store.database.db, `fleet${index}`))
    servers = [1, 2, 3].map((server) =>
      createDatabase(store.connection, {
        maxConnections: 2,
        applicationName: `server ${server}`,
        log: createLogger({ level: 'silent' }),
      }),
    )
  })
  afterAll(async () => {
    for (const server of servers) await server.close()
  })

  test('never deadlock, in whatever order servers name them', async () => {
    const rounds = Array.from({ length: 60 }, (_, round) => {
      const order = round % 2 === 0 ? shuffled(fleet, round) : shuffled(fleet, round).toReversed()
      return recordHeartbeats(
        servers[round % servers.length]?.db ?? store.database.db,
        order.map((each) => heartbeatOf(each)),
      )
    })
    const outcomes = (await Promise.all(rounds)).flat()
    expect(outcomes).toHaveLength(60 * SYSTEMS)
    expect(outcomes.filter(({ result }) => result === 'refused')).toEqual([])
    expect(await view.deadlocks()).toBe(0)
  })
})

test('reports and heartbeats of one system never deadlock', async () => {
  const systems = [system]
  for (const name of ['x', 'y', 'z'])
    systems.push(await addStoredSystem(store.database.db, `${name}-${system.hostname}`))
  const rounds = Array.from({ length: 60 }, (_, round) => {
    const of = systems[round % systems.length] ?? system
    return round % 3 === 0
      ? recordReport(store.database.db, reportOf(of, { sequence: nextSequence() }))
      : recordHeartbeats(
          store.database.db,
          (round % 2 === 0 ? systems : systems.toReversed()).map((each) => heartbeatOf(each)),
        )
  })
  await Promise.all(rounds)
  expect(await view.deadlocks()).toBe(0)
})

test('heartbeats are HOT updates of contacts and keys', async () => {
  const { database, drop } = await createTestDatabase()
  try {
    const fleet: StoredSystem[] = []
    for (let index = 0; index < 50; index += 1)
      fleet.push(await addStoredSystem(database.db, `fleet${index}`))
    // one after the other, so that one connection of the pool makes them all
    for (let round = 0; round < 20; round += 1)
      await recordHeartbeats(
        database.db,
        fleet.map((each) => heartbeatOf(each)),
      )
    await sql`select pg_stat_force_next_flush()`.execute(database.db)
    const { rows } = await sql<{ relname: string; updated: number; hot: number }>`
      select relname, n_tup_upd as updated, n_tup_hot_upd as hot from pg_stat_user_tables
      where relname in ('contacts', 'keys') order by relname`.execute(database.db)
    expect(rows.map(({ relname, updated }) => ({ relname, updated }))).toEqual([
      { relname: 'contacts', updated: 1000 },
      { relname: 'keys', updated: 1000 },
    ])
    for (const { updated, hot } of rows) expect(hot / updated).toBeGreaterThan(0.9)
  } finally {
    await drop()
  }
})
