import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type HeartbeatEntry, recordHeartbeats } from '../../src/store/heartbeats.ts'
import { revokeKey } from '../../src/store/keys.ts'
import { recordReport } from '../../src/store/reports.ts'
import { setArchived } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addStoredSystem,
  BOOT_A,
  BOOT_B,
  digestOf,
  heartbeatOf,
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

const beat = async (members: Partial<HeartbeatEntry> = {}, of = system) => {
  const [outcome] = await recordHeartbeats(store.database.db, [heartbeatOf(of, members)])
  return outcome
}

const setStatus = (status: string) =>
  sql`update keys set status = ${status} where id = ${system.key.id}`.execute(store.database.db)

const recorded = { result: 'recorded', wanted: false, historyLost: false }

describe('a heartbeat', () => {
  test('moves the last contact and what is shown of the system', async () => {
    const before = new Date()
    await beat({ uptimeSecs: 100, clockSkewSecs: 2, currentSystem: '/nix/store/x', intervalSecs: 90 })
    const row = await view.contact(system)
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
    await view.age(system, -3600)
    const { last_contact: future } = await view.contact(system)
    await beat()
    expect((await view.contact(system)).last_contact).toEqual(future)
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
    expect((await view.flags(system))['history_lost']?.details).toEqual({ reported })
  })

  test('does not show for an older report, nor for none', async () => {
    const first = reportOf(system)
    await recordReport(store.database.db, first)
    await recordReport(store.database.db, reportOf(system, { previous: first.id }))
    expect(await beat({ reported: first.id })).toMatchObject({ historyLost: false })
    expect(await beat({ reported: null })).toMatchObject({ historyLost: false })
    expect(await view.flags(system)).toEqual({})
  })

  test('shows when the report is known, but as that of another system', async () => {
    const other = await addStoredSystem(store.database.db, `other-of-${system.hostname}`)
    const report = reportOf(other)
    await recordReport(store.database.db, report)
    expect(await beat({ reported: report.id })).toMatchObject({ wanted: true, historyLost: true })
  })

  test('stays flagged with its first details until it is acknowledged', async () => {
    await beat({ reported: digestOf('first') })
    const { history_lost: before } = await view.flags(system)
    await beat({ reported: digestOf('second') })
    await beat({ reported: null })
    expect((await view.flags(system))['history_lost']).toEqual(before)
  })
})

describe('a sequence', () => {
  test('that is not above the last is a replay, which changes nothing', async () => {
    const entry = heartbeatOf(system)
    await recordHeartbeats(store.database.db, [entry])
    const before = await view.contact(system)
    for (const sequence of [entry.sequence, entry.sequence - 1, 1])
      expect(await beat({ sequence, bootId: BOOT_B, clockSkewSecs: 99 })).toEqual({
        result: 'replayed',
        lastSequence: entry.sequence,
      })
    expect(await view.contact(system)).toEqual(before)
    expect(await view.flags(system)).toEqual({})
    expect(await view.periods(system)).toEqual([])
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

describe('clock_skew', () => {
  test.each([30, -30, 86_400])('is raised at %d s and lowered by the next good heartbeat', async (skew) => {
    await beat({ clockSkewSecs: skew })
    expect((await view.flags(system))['clock_skew']?.details).toEqual({ clock_skew_secs: skew })
    await beat({ clockSkewSecs: 29 })
    expect(await view.flags(system)).toEqual({})
  })

  test('keeps its since while it stays up', async () => {
    await beat({ clockSkewSecs: 40 })
    await sql`update flags set since = now() - interval '1 day' where system_id = ${system.systemId}`.execute(
      store.database.db,
    )
    const { clock_skew: before } = await view.flags(system)
    await beat({ clockSkewSecs: 50 })
    expect((await view.flags(system))['clock_skew']?.since).toEqual(before?.since)
  })
})

describe('a key that may not write', () => {
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
    const before = await view.contact(system)
    await act()
    const outcomes = await recordHeartbeats(store.database.db, [
      heartbeatOf(system, { bootId: BOOT_B, reported: digestOf('unknown') }),
      heartbeatOf(other),
    ])
    expect(outcomes).toEqual([
      { result: 'refused', problem },
      { result: 'recorded', wanted: true, historyLost: false },
    ])
    expect(await view.contact(system)).toEqual(before)
    expect(await view.flags(system)).toEqual({})
    expect(await view.periods(system)).toEqual([])
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
    expect((await view.contact(system)).last_contact).toBeNull()
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
