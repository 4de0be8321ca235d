import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type HeartbeatEntry, recordHeartbeats } from '../../src/store/heartbeats.ts'
import { recordReport, type ReportEntry } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addStoredSystem,
  BOOT_A,
  BOOT_B,
  BOOT_C,
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

const beat = async (members: Partial<HeartbeatEntry> = {}, of = system) => {
  const [outcome] = await recordHeartbeats(store.database.db, [heartbeatOf(of, members)])
  return outcome
}

const record = (entry: ReportEntry) => recordReport(store.database.db, entry)

describe('an online period', () => {
  test('is extended by each heartbeat: a quiet week is one row', async () => {
    await beat()
    const { online_since: since } = await view.contact(system)
    for (let day = 0; day < 7; day += 1) {
      await view.age(system, 800)
      await beat()
    }
    expect(await view.periods(system)).toEqual([])
    const row = await view.contact(system)
    expect(since?.getTime()).toBeGreaterThan(row.online_since?.getTime() ?? Infinity)
  })

  test('ends at another boot id, with its last contact', async () => {
    await beat()
    await view.age(system, 60)
    const before = await view.contact(system)
    await beat({ bootId: BOOT_B })
    expect(await view.periods(system)).toEqual([
      {
        system_id: system.systemId,
        started_at: before.online_since,
        ended_at: before.last_contact,
        boot_id: BOOT_A,
      },
    ])
    const after = await view.contact(system)
    expect(after).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
    expect(after.online_since).toEqual(after.last_contact)
  })

  test('ends after offline_after, though the boot is the same', async () => {
    await beat()
    await view.age(system, 901)
    const before = await view.contact(system)
    await beat()
    expect(await view.periods(system)).toMatchObject([
      { started_at: before.online_since, ended_at: before.last_contact, boot_id: BOOT_A },
    ])
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('goes on before offline_after', async () => {
    await beat()
    await view.age(system, 890)
    await beat()
    expect(await view.periods(system)).toEqual([])
  })

  test('ends after the limit of the system itself where its interval is long', async () => {
    await beat()
    await view.age(system, 5000)
    await beat({ offlineAfterSecs: 6000.5 })
    expect(await view.periods(system)).toEqual([])
    await view.age(system, 6001)
    await beat({ offlineAfterSecs: 6000.5 })
    expect(await view.periods(system)).toHaveLength(1)
  })

  test('goes on while the boot id cannot be read', async () => {
    await beat()
    await beat({ bootId: null })
    await beat()
    expect(await view.periods(system)).toEqual([])
    expect(await view.flags(system)).toEqual({})
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('goes on when the boot id is known for the first time', async () => {
    await beat({ bootId: null })
    await beat()
    expect(await view.periods(system)).toEqual([])
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('ends at another boot id, though it could not be read in between', async () => {
    await beat()
    await beat({ bootId: null })
    await beat({ bootId: BOOT_B })
    expect(await view.periods(system)).toHaveLength(1)
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
  })
})

describe('boot ids', () => {
  test('that alternate are an identity conflict: two machines with one key', async () => {
    await beat({ bootId: BOOT_A })
    await beat({ bootId: BOOT_B })
    expect(await view.flags(system)).toEqual({})
    await beat({ bootId: BOOT_A })
    expect((await view.flags(system))['identity_conflict']?.details).toEqual({
      fact: 'boot_id',
      before: BOOT_B,
      now: BOOT_A,
    })
  })

  test('that follow one another are boots', async () => {
    for (const bootId of [BOOT_A, BOOT_A, BOOT_B, BOOT_B, BOOT_C]) await beat({ bootId })
    expect(await view.flags(system)).toEqual({})
    expect(await view.periods(system)).toHaveLength(2)
  })

  test('leave the flag up until it is acknowledged', async () => {
    for (const bootId of [BOOT_A, BOOT_B, BOOT_A, BOOT_A, BOOT_C]) await beat({ bootId })
    expect(Object.keys(await view.flags(system))).toEqual(['identity_conflict'])
  })
})

describe('an online period and reports:', () => {
  test('is extended by a report of the same boot', async () => {
    await beat()
    await record(reportOf(system))
    expect(await view.periods(system)).toEqual([])
  })

  test('ends with a report of a newer boot, and after a long silence', async () => {
    await beat()
    await view.age(system, 100)
    const first = reportOf(system, { boot_id: BOOT_B })
    await record(first)
    expect(await view.periods(system)).toMatchObject([{ boot_id: BOOT_A }])
    expect(await view.contact(system)).toMatchObject({
      boot_id: BOOT_B,
      previous_boot_id: BOOT_A,
      booted_at: null,
    })
    await view.age(system, 901)
    await record(reportOf(system, { boot_id: BOOT_B, previous: first.id }))
    const ended = (await view.periods(system)).map((period) => period.boot_id)
    expect(new Set(ended)).toEqual(new Set([BOOT_A, BOOT_B]))
    const row = await view.contact(system)
    expect(row.online_since).toEqual(row.last_contact)
  })

  test('goes on when a report tells the boot id for the first time', async () => {
    await beat({ bootId: null })
    await record(reportOf(system))
    expect(await view.periods(system)).toEqual([])
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_A, previous_boot_id: null })
  })

  test('goes on with a report that could not read the boot id', async () => {
    await beat()
    await record(reportOf(system, { boot_id: null }))
    expect(await view.periods(system)).toEqual([])
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_A })
  })

  test('is not touched by what an earlier boot left in the spool', async () => {
    const leftover = reportOf(system, { boot_id: BOOT_C })
    await beat({ bootId: BOOT_A })
    await beat({ bootId: BOOT_B })
    await record(leftover)
    await beat({ bootId: BOOT_B })
    expect(await view.periods(system)).toHaveLength(1)
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
    expect(await view.flags(system)).toEqual({})
  })

  test('is not touched by such a leftover either when it had to be made again after a 409', async () => {
    const observedAt = new Date(nextSequence()).toISOString()
    await beat({ bootId: BOOT_A })
    await beat({ bootId: BOOT_B })
    await record(reportOf(system, { boot_id: BOOT_C, observed_at: observedAt }))
    await beat({ bootId: BOOT_B })
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_B, previous_boot_id: BOOT_A })
    expect(await view.flags(system)).toEqual({})
  })

  test('follows the boots of a spool that is sent before the first heartbeat', async () => {
    await beat({ bootId: BOOT_A })
    const inB = reportOf(system, { boot_id: BOOT_B })
    const inC = reportOf(system, { boot_id: BOOT_C, previous: inB.id })
    for (const entry of [inB, inC]) await record(entry)
    await beat({ bootId: BOOT_C })
    expect(await view.contact(system)).toMatchObject({ boot_id: BOOT_C, previous_boot_id: BOOT_B })
    expect(await view.flags(system)).toEqual({})
  })
})
