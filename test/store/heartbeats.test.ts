import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { createDatabase, type Database } from '../../src/store/database.ts'
import { type HeartbeatEntry, recordHeartbeats } from '../../src/store/heartbeats.ts'
import { revokeKey } from '../../src/store/keys.ts'
import { recordReport } from '../../src/store/reports.ts'
import { setArchived } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addStoredSystem,
  BOOT_A,
  BOOT_B,
  BOOT_C,
  digestOf,
  heartbeatOf,
  reportOf,
  type StoredSystem,
} from '../support/entries.ts'

let store: TestDatabase
let system: StoredSystem
let count = 0

beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())
beforeEach(async () => {
  system = await addStoredSystem(store.database.db, `host${(count += 1)}`)
})

const beat = async (members: Partial<HeartbeatEntry> = {}, of = system) => {
  const [outcome] = await recordHeartbeats(store.database.db, [heartbeatOf(of, members)])
  return outcome
}

const contact = (of = system) =>
  store.database.db
    .selectFrom('contacts')
    .selectAll()
    .where('system_id', '=', of.systemId)
    .executeTakeFirstOrThrow()

const periods = () =>
  store.database.db
    .selectFrom('online_periods')
    .selectAll()
    .where('system_id', '=', system.systemId)
    .orderBy('started_at')
    .execute()

const flags = async () =>
  Object.fromEntries(
    (
      await store.database.db
        .selectFrom('flags')
        .select(['flag', 'since', 'details'])
        .where('system_id', '=', system.systemId)
        .execute()
    ).map((row) => [row.flag, row]),
  )

/** Moves what is known of the system's contacts into the past. */
const age = (seconds: number) =>
  sql`update contacts set last_contact = last_contact - make_interval(secs => ${seconds}),
      online_since = online_since - make_interval(secs => ${seconds})
      where system_id = ${system.systemId}`.execute(store.database.db)

const recorded = { result: 'recorded', wanted: false, historyLost: false }

describe('a heartbeat', () => {
  test('moves the last contact and what is shown of the system', async () => {
    const before = new Date()
    await beat({ uptimeSecs: 100, clockSkewSecs: 2, currentSystem: '/nix/store/x', intervalSecs: 90 })
    const row = await contact()
    expect(row).toMatchObject({
      boot_id: BOOT_A,
      clock_skew_secs: 2,
      current_system: '/nix/store/x',
      interval_secs: 90,
      protocol: 1,
    })
    expect(row.last_contact?.getTime()).toBeGreaterThanOrEqual(before.getTime() - 1)
    expect(row.online_since).toEqual(row.last_contact)
    expect(row.booted_at?.getTime()).toBe((row.last_contact?.getTime() ?? 0) - 100_000)
  })

  test('never moves the last contact back, though the clocks of two servers differ', async () => {
    await beat()
    await age(-3600)
    const { last_contact: future } = await contact()
    await beat()
    expect((await contact()).last_contact).toEqual(future)
  })

  test('of a system without any report is answered with wanted', async () => {
    expect(await beat()).toEqual({ result: 'recorded', wanted: true, historyLost: false })
  })

  test('is known with the digest of the last accepted report, and wanted with any other', async () => {
    const first = reportOf(system)
    await recordReport(store.database.db, first)
    expect(await beat({ stateDigest: first.stateDigest, reported: first.id })).toEqual(recorded)
    expect(await beat({ stateDigest: digestOf('changed'), reported: first.id })).toEqual({
      ...recorded,
      wanted: true,
    })
    const second = reportOf(system, { previous: first.id, system: null })
    await recordReport(store.database.db, second)
    expect(await beat({ stateDigest: first.stateDigest, reported: second.id })).toEqual({
      ...recorded,
      wanted: true,
    })
    expect(await beat({ stateDigest: second.stateDigest, reported: second.id })).toEqual(recorded)
  })

  test('stores no document', async () => {
    await beat()
    const { rows } = await sql<{ reports: number }>`select count(*) as reports from reports
      where system_id = ${system.systemId}`.execute(store.database.db)
    expect(rows).toEqual([{ reports: 0 }])
  })
})

describe('a lost history', () => {
  test('shows when the agent names a report nobody here knows', async () => {
    const report = reportOf(system)
    await recordReport(store.database.db, report)
    const reported = digestOf('a report that a restored database lost')
    expect(await beat({ stateDigest: report.stateDigest, reported })).toEqual({
      result: 'recorded',
      wanted: true,
      historyLost: true,
    })
    expect((await flags())['history_lost']?.details).toEqual({ reported })
  })

  test('does not show for an older report, nor for none', async () => {
    const first = reportOf(system)
    await recordReport(store.database.db, first)
    await recordReport(store.database.db, reportOf(system, { previous: first.id }))
    expect(await beat({ reported: first.id })).toMatchObject({ historyLost: false })
    expect(await beat({ reported: null })).toMatchObject({ historyLost: false })
    expect(await flags()).toEqual({})
  })

  test('shows when the report is known, but as that of another system', async () => {
    const other = await addStoredSystem(store.database.db, `other-of-${system.hostname}`)
    const report = reportOf(other)
    await recordReport(store.database.db, report)
    expect(await beat({ reported: report.id })).toMatchObject({ wanted: true, historyLost: true })
  })

  test('stays flagged with its first details until it is acknowledged', async () => {
    await beat({ reported: digestOf('first') })
    const { history_lost: before } = await flags()
    await beat({ reported: digestOf('second') })
    await beat({ reported: null })
    expect((await flags())['history_lost']).toEqual(before)
  })
})

describe('a sequence', () => {
  test('that is not above the last is a replay, which changes nothing', async () => {
    const entry = heartbeatOf(system)
    await recordHeartbeats(store.database.db, [entry])
    const before = await contact()
    for (const sequence of [entry.sequence, entry.sequence - 1, 1])
      expect(await beat({ sequence, bootId: BOOT_B, clockSkewSecs: 99 })).toEqual({
        result: 'replayed',
        lastSequence: entry.sequence,
      })
    expect(await contact()).toEqual(before)
    expect(await flags()).toEqual({})
    expect(await periods()).toEqual([])
  })

  test('may skip, up to the largest that JSON holds', async () => {
    expect(await beat({ sequence: 1 })).toMatchObject({ result: 'recorded' })
    expect(await beat({ sequence: Number.MAX_SAFE_INTEGER })).toMatchObject({ result: 'recorded' })
    expect(await beat({ sequence: Number.MAX_SAFE_INTEGER })).toEqual({
      result: 'replayed',
      lastSequence: Number.MAX_SAFE_INTEGER,
    })
  })

  test('is counted for each endpoint by itself', async () => {
    const report = reportOf(system)
    await recordReport(store.database.db, report)
    expect(await beat({ sequence: report.sequence - 100 })).toMatchObject({ result: 'recorded' })
  })

  test('is counted for each key by itself', async () => {
    const other = await addStoredSystem(store.database.db, `second-key-of-${system.hostname}`)
    const second = { ...other, systemId: system.systemId }
    await sql`update keys set system_id = ${system.systemId} where id = ${other.key.id}`.execute(
      store.database.db,
    )
    const entry = heartbeatOf(system)
    await recordHeartbeats(store.database.db, [entry])
    expect(await beat({ sequence: 5 }, second)).toMatchObject({ result: 'recorded' })
    expect(await beat({ sequence: 5 }, second)).toEqual({ result: 'replayed', lastSequence: 5 })
  })

  test('is accepted once, however many servers get it at the same moment', async () => {
    const entry = heartbeatOf(system)
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => recordHeartbeats(store.database.db, [entry])),
    )
    expect(outcomes.flat().filter(({ result }) => result === 'recorded')).toHaveLength(1)
    expect(outcomes.flat().filter(({ result }) => result === 'replayed')).toHaveLength(4)
  })
})

describe('an online period', () => {
  test('is extended by each heartbeat: a quiet week is one row', async () => {
    await beat()
    const { online_since: since } = await contact()
    for (let day = 0; day < 7; day += 1) {
      await age(800)
      await beat()
    }
    expect(await periods()).toEqual([])
    const row = await contact()
    expect(since?.getTime()).toBeGreaterThan(row.online_since?.getTime() ?? Infinity)
  })

  test('ends at another boot id, with its last contact', async () => {
    await beat()
    await age(60)
    const before = await contact()
    await beat({ bootId: BOOT_B })
    expect(await periods()).toEqual([
      {
        system_id: system.systemId,
        started_at: before.online_since,
        ended_at: before.last_contact,
        boot_id: BOOT_A,
      },
    ])
    const after = await contact()
    expect(after).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
    expect(after.online_since).toEqual(after.last_contact)
  })

  test('ends after offline_after, though the boot is the same', async () => {
    await beat()
    await age(901)
    const before = await contact()
    await beat()
    expect(await periods()).toMatchObject([
      { started_at: before.online_since, ended_at: before.last_contact, boot_id: BOOT_A },
    ])
    expect(await contact()).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('goes on before offline_after', async () => {
    await beat()
    await age(890)
    await beat()
    expect(await periods()).toEqual([])
  })

  test('ends after the limit of the system itself where its interval is long', async () => {
    await beat()
    await age(5000)
    await beat({ offlineAfterSecs: 6000 })
    expect(await periods()).toEqual([])
    await age(6001)
    await beat({ offlineAfterSecs: 6000 })
    expect(await periods()).toHaveLength(1)
  })

  test('goes on while the boot id cannot be read', async () => {
    await beat()
    await beat({ bootId: null })
    await beat()
    expect(await periods()).toEqual([])
    expect(await flags()).toEqual({})
    expect(await contact()).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('goes on when the boot id is known for the first time', async () => {
    await beat({ bootId: null })
    await beat()
    expect(await periods()).toEqual([])
    expect(await contact()).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('ends at another boot id, though it could not be read in between', async () => {
    await beat()
    await beat({ bootId: null })
    await beat({ bootId: BOOT_B })
    expect(await periods()).toHaveLength(1)
    expect(await contact()).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
  })
})

describe('boot ids', () => {
  test('that alternate are an identity conflict: two machines with one key', async () => {
    await beat({ bootId: BOOT_A })
    await beat({ bootId: BOOT_B })
    expect(await flags()).toEqual({})
    await beat({ bootId: BOOT_A })
    expect((await flags())['identity_conflict']?.details).toEqual({
      fact: 'boot_id',
      before: BOOT_B,
      now: BOOT_A,
    })
  })

  test('that follow one another are boots', async () => {
    for (const bootId of [BOOT_A, BOOT_A, BOOT_B, BOOT_B, BOOT_C]) await beat({ bootId })
    expect(await flags()).toEqual({})
    expect(await periods()).toHaveLength(2)
  })

  test('leave the flag up until it is acknowledged', async () => {
    for (const bootId of [BOOT_A, BOOT_B, BOOT_A, BOOT_A, BOOT_C]) await beat({ bootId })
    expect(Object.keys(await flags())).toEqual(['identity_conflict'])
  })
})

describe('clock_skew', () => {
  test.each([30, -30, 86_400])('is raised at %d s and lowered by the next good heartbeat', async (skew) => {
    await beat({ clockSkewSecs: skew })
    expect((await flags())['clock_skew']?.details).toEqual({ clock_skew_secs: skew })
    await beat({ clockSkewSecs: 29 })
    expect(await flags()).toEqual({})
  })

  test('keeps its since while it stays up', async () => {
    await beat({ clockSkewSecs: 40 })
    await sql`update flags set since = now() - interval '1 day' where system_id = ${system.systemId}`.execute(
      store.database.db,
    )
    const { clock_skew: before } = await flags()
    await beat({ clockSkewSecs: 50 })
    expect((await flags())['clock_skew']?.since).toEqual(before?.since)
  })
})

describe('a key that may not write', () => {
  const setStatus = (status: string) =>
    sql`update keys set status = ${status} where id = ${system.key.id}`.execute(store.database.db)

  test.each([
    { status: 'pending', act: () => setStatus('pending'), problem: 'pending-approval' },
    { status: 'inactive', act: () => setStatus('inactive'), problem: 'bad-signature' },
    {
      status: 'revoked',
      act: () => revokeKey(store.database.db, system.systemId, system.key.id),
      problem: 'revoked-key',
    },
    {
      status: 'archived',
      act: () => setArchived(store.database.db, system.systemId, true),
      problem: 'revoked-key',
    },
  ])('is refused when $status, beside others that are not', async ({ act, problem }) => {
    const other = await addStoredSystem(store.database.db, `beside-${system.hostname}`)
    await beat()
    const before = await contact()
    await act()
    const outcomes = await recordHeartbeats(store.database.db, [
      heartbeatOf(system, { bootId: BOOT_B, reported: digestOf('unknown') }),
      heartbeatOf(other),
    ])
    expect(outcomes).toEqual([
      { result: 'refused', problem },
      { result: 'recorded', wanted: true, historyLost: false },
    ])
    expect(await contact()).toEqual(before)
    expect(await flags()).toEqual({})
    expect(await periods()).toEqual([])
  })

  test('is refused, and not called a replay, whatever the sequence', async () => {
    await beat()
    await revokeKey(store.database.db, system.systemId, system.key.id)
    expect(await beat({ sequence: 1 })).toEqual({ result: 'refused', problem: 'revoked-key' })
  })

  test('writes nothing when it is revoked while its heartbeat waits for the row', async () => {
    const outcome = await store.database.db.transaction().execute(async (transaction) => {
      await sql`select from contacts where system_id = ${system.systemId} for update`.execute(transaction)
      const waiting = beat()
      await revokeKey(transaction, system.systemId, system.key.id)
      return { waiting }
    })
    expect(await outcome.waiting).toEqual({ result: 'refused', problem: 'revoked-key' })
    expect((await contact()).last_contact).toBeNull()
  })
})

describe('version 0', () => {
  test('has one sequence over both endpoints', async () => {
    const first = heartbeatOf(system, { protocol: 0 })
    await recordHeartbeats(store.database.db, [first])
    await sql`update keys set state_sequence = ${first.sequence + 10} where id = ${system.key.id}`.execute(
      store.database.db,
    )
    expect(await beat({ protocol: 0, sequence: first.sequence + 10 })).toEqual({
      result: 'replayed',
      lastSequence: first.sequence + 10,
    })
    expect(await beat({ protocol: 0, sequence: first.sequence + 11 })).toMatchObject({ result: 'recorded' })
  })

  test('is over for a system that has spoken version 1', async () => {
    expect(await beat({ protocol: 0 })).toMatchObject({ result: 'recorded' })
    expect(await beat({ protocol: 1 })).toMatchObject({ result: 'recorded' })
    expect(await beat({ protocol: 0 })).toEqual({ result: 'refused', problem: 'forbidden' })
  })
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
    const shuffled = (round: number) =>
      fleet.toSorted((a, b) => ((a.systemId * 7919) % (round + 13)) - ((b.systemId * 7919) % (round + 13)))
    const rounds = Array.from({ length: 60 }, (_, round) => {
      const order = round % 2 === 0 ? shuffled(round) : shuffled(round).toReversed()
      return recordHeartbeats(
        servers[round % servers.length]?.db ?? store.database.db,
        order.map((each) => heartbeatOf(each)),
      )
    })
    const outcomes = (await Promise.all(rounds)).flat()
    expect(outcomes).toHaveLength(60 * SYSTEMS)
    expect(outcomes.filter(({ result }) => result === 'refused')).toEqual([])
    const { rows } = await sql<{ deadlocks: number }>`select deadlocks from pg_stat_database
      where datname = current_database()`.execute(store.database.db)
    expect(rows).toEqual([{ deadlocks: 0 }])
  })

  test('are updated in place: heartbeats are HOT updates of contacts and keys', async () => {
    const updates = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(store.database.db)
      const { rows } = await sql<{ relname: string; all: number; hot: number }>`
        select relname, n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables
        where relname in ('contacts', 'keys') order by relname`.execute(store.database.db)
      return rows
    }
    const lone = createDatabase(
      { ...store.connection },
      { maxConnections: 1, applicationName: 'lone', log: createLogger({ level: 'silent' }) },
    )
    try {
      await sql`vacuum full contacts, keys`.execute(lone.db)
      await sql`select pg_stat_reset()`.execute(lone.db)
      for (let round = 0; round < 20; round += 1)
        await recordHeartbeats(
          lone.db,
          fleet.map((each) => heartbeatOf(each)),
        )
      await sql`select pg_stat_force_next_flush()`.execute(lone.db)
      await sql`select 1`.execute(lone.db)
      for (const { all, hot } of await updates()) {
        expect(all).toBe(20 * SYSTEMS)
        expect(hot / all).toBeGreaterThan(0.9)
      }
    } finally {
      await lone.close()
    }
  })
})
