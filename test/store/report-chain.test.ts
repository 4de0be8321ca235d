import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgeFlag } from '../../src/store/flags.ts'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { recordReport, type ReportEntry } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, digestOf, heartbeatOf, reportOf, type StoredSystem } from '../support/entries.ts'
import { createSystemState } from '../support/messages.ts'
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

const record = (entry: ReportEntry) => recordReport(store.database.db, entry)

const chainOf = async (entry: Parameters<typeof recordReport>[1]) => {
  const outcome = await record(entry)
  return outcome.result === 'stored' ? outcome.chain : outcome.result
}

const ofMachine = (machine: string, members: Parameters<typeof reportOf>[1] = {}) =>
  reportOf(system, members, {
    fingerprint: (fingerprint) => {
      fingerprint.software.machine_id_digest = machine.repeat(64)
    },
  })

describe('the chain', () => {
  test('starts, continues and is whole', async () => {
    const first = reportOf(system)
    const second = reportOf(system, { previous: first.id })
    const third = reportOf(system, { previous: second.id })
    expect([await chainOf(first), await chainOf(second), await chainOf(third)]).toEqual([
      'start',
      'continues',
      'continues',
    ])
    expect(await view.flags(system)).toEqual({})
    expect((await view.reports(system)).map((row) => row.chain)).toEqual(['start', 'continues', 'continues'])
  })

  test('restarts where the agent knows of no report but the server does', async () => {
    const first = reportOf(system)
    await record(first)
    expect(await chainOf(reportOf(system))).toBe('restart')
    expect((await view.flags(system))['chain_broken']?.details).toEqual({
      chain: 'restart',
      expected_previous: first.id,
      previous: null,
      dropped: 0,
    })
  })

  test('forks at a report that is known but not the newest', async () => {
    const first = reportOf(system)
    const second = reportOf(system, { previous: first.id })
    for (const entry of [first, second]) await record(entry)
    expect(await chainOf(reportOf(system, { previous: first.id }))).toBe('fork')
    expect((await view.flags(system))['chain_broken']?.details).toMatchObject({
      chain: 'fork',
      expected_previous: second.id,
      previous: first.id,
    })
  })

  test('has a gap after a report nobody here knows', async () => {
    const first = reportOf(system)
    await record(first)
    const lost = digestOf('dropped from the spool')
    expect(await chainOf(reportOf(system, { previous: lost, dropped: 1 }))).toBe('gap')
    expect((await view.flags(system))['chain_broken']?.details).toEqual({
      chain: 'gap',
      expected_previous: first.id,
      previous: lost,
      dropped: 1,
    })
  })

  test('has a gap, not a fork, after a report of another system', async () => {
    const other = await addStoredSystem(store.database.db, `other-of-${system.hostname}`)
    const foreign = reportOf(other)
    await record(foreign)
    expect(await chainOf(reportOf(system, { previous: foreign.id }))).toBe('gap')
  })

  test('that broke goes on from the newest, and the flag stays until it is acknowledged', async () => {
    const first = reportOf(system)
    const restarted = reportOf(system)
    const next = reportOf(system, { previous: restarted.id })
    for (const entry of [first, restarted]) await record(entry)
    const { chain_broken: before } = await view.flags(system)
    expect(await chainOf(next)).toBe('continues')
    expect((await view.flags(system))['chain_broken']).toEqual(before)
    expect(await acknowledgeFlag(store.database.db, system.systemId, 'chain_broken')).toBe(true)
    await record(reportOf(system, { previous: next.id }))
    expect(await view.flags(system)).toEqual({})
  })

  test('of version 0 is none, and the first report of version 1 starts one', async () => {
    const old = { ...reportOf(system), protocol: 0 as const }
    expect(await chainOf(old)).toBe('unchained')
    await recordHeartbeats(store.database.db, [heartbeatOf(system)])
    expect(await chainOf(reportOf(system))).toBe('start')
    expect(await view.flags(system)).toEqual({})
  })
})

describe('identity_conflict', () => {
  test('is raised by another machine that does not continue the chain', async () => {
    await record(ofMachine('a'))
    await record(ofMachine('b'))
    expect((await view.flags(system))['identity_conflict']?.details).toEqual({
      fact: 'machine_id_digest',
      before: 'a'.repeat(64),
      now: 'b'.repeat(64),
    })
  })

  test('is not raised by another machine that does: the disk moved', async () => {
    const first = ofMachine('a')
    await record(first)
    await record(ofMachine('b', { previous: first.id }))
    expect(await view.flags(system)).toEqual({})
  })

  test('stays with its first details until it is acknowledged', async () => {
    await record(ofMachine('a'))
    await record(ofMachine('b'))
    const { identity_conflict: before } = await view.flags(system)
    const back = ofMachine('a')
    await record(back)
    await record(ofMachine('a', { previous: back.id }))
    expect((await view.flags(system))['identity_conflict']).toEqual(before)
  })
})

describe('flags that end by themselves', () => {
  test('end with the first report that does not raise them', async () => {
    const bad = reportOf(
      system,
      {
        spool_failed: true,
        clock_skew_secs: 31,
        system: {
          ...createSystemState(),
          reboot_needed: ['kernel'],
          profile: '/nix/store/1c4bxmg5cmjzr41f2b4vdfv9ddxfrq8v-nixos-system-web1-25.11',
        },
      },
      {
        fingerprint: (fingerprint) => {
          fingerprint.software.hostname = `renamed-${system.hostname}`
        },
      },
    )
    await record(bad)
    expect(Object.keys(await view.flags(system)).toSorted()).toEqual([
      'clock_skew',
      'hostname_changed',
      'profile_mismatch',
      'reboot_needed',
      'spool_failed',
    ])
    await record(reportOf(system, { previous: bad.id }))
    expect(await view.flags(system)).toEqual({})
  })

  test('keep their since and renew their details while they stay up', async () => {
    const first = reportOf(system, { clock_skew_secs: 40 })
    await record(first)
    await sql`update flags set since = now() - interval '1 day' where system_id = ${system.systemId}`.execute(
      store.database.db,
    )
    const { clock_skew: before } = await view.flags(system)
    await record(reportOf(system, { previous: first.id, clock_skew_secs: 50 }))
    expect((await view.flags(system))['clock_skew']).toEqual({
      since: before?.since,
      details: { clock_skew_secs: 50 },
    })
  })
})
