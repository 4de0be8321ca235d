import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toBytes } from '../../src/store/digest-column.ts'
import { revokeKey } from '../../src/store/keys.ts'
import { recordReport, recordReports } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, BOOT_B, nextSequence, reportOf, type StoredSystem } from '../support/entries.ts'
import { createSystemState } from '../support/messages.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'

let store: TestDatabase
let view: StoreView
let count = 0
let fleet: StoredSystem[]

beforeAll(async () => {
  store = await createTestDatabase()
  view = createStoreView(store.database.db)
})
afterAll(() => store.drop())
beforeEach(async () => {
  count += 1
  fleet = []
  for (const name of ['a', 'b', 'c', 'd'])
    fleet.push(await addStoredSystem(store.database.db, `${name}${count}`))
})

const batch = (entries: Parameters<typeof recordReports>[1]) => recordReports(store.database.db, entries)

describe('a batch of reports', () => {
  test('gives its outcomes in the order of its entries, each for its own reason', async () => {
    const [a, b, c, d] = fleet
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no fleet')
    const known = reportOf(a)
    await recordReport(store.database.db, known)
    const [last] = [reportOf(b)]
    await recordReport(store.database.db, last)
    await revokeKey(store.database.db, c.systemId, c.key.id)
    const outcomes = await batch([reportOf(d), reportOf(c), reportOf(b, { sequence: last.sequence }), known])
    expect(outcomes).toEqual([
      { result: 'stored', chain: 'start' },
      { result: 'refused', problem: 'revoked-key' },
      { result: 'replayed', lastSequence: last.sequence },
      { result: 'duplicate' },
    ])
    expect(await view.reports(c)).toEqual([])
  })

  test('keeps each body, its facts and its event with its system', async () => {
    const entries = fleet.toReversed().map((system) =>
      reportOf(
        system,
        { dropped: system.systemId },
        {
          fingerprint: (fingerprint) => {
            fingerprint.hardware.board_serial = `"quoted", \\ and é of ${system.hostname}`
          },
        },
      ),
    )
    await batch(entries)
    for (const [index, system] of fleet.toReversed().entries()) {
      const entry = entries[index]
      const [report] = await view.reports(system)
      expect(report?.body).toEqual(entry?.evidence.body)
      expect(report).toMatchObject({ dropped: system.systemId, sequence: entry?.sequence })
      expect((await view.facts(system))?.fingerprint).toEqual(entry?.fingerprint)
      const events = await store.database.db
        .selectFrom('events')
        .select('details')
        .where('system_id', '=', system.systemId)
        .where('kind', '=', 'report')
        .execute()
      expect(events.map(({ details }) => details)).toMatchObject([{ id: entry?.id, chain: 'start' }])
    }
  })

  test('raises and ends the flags of each system', async () => {
    const [a, b] = fleet
    if (a === undefined || b === undefined) throw new Error('no fleet')
    const needs = { ...createSystemState(), reboot_needed: ['kernel' as const] }
    const first = [reportOf(a, { system: needs }), reportOf(b, { spool_failed: true })]
    await batch(first)
    expect(Object.keys(await view.flags(a))).toEqual(['reboot_needed'])
    expect(Object.keys(await view.flags(b))).toEqual(['spool_failed'])
    await batch([
      reportOf(a, { previous: first[0]?.id ?? null, spool_failed: true }),
      reportOf(b, { previous: first[1]?.id ?? null }),
    ])
    expect(Object.keys(await view.flags(a))).toEqual(['spool_failed'])
    expect(await view.flags(b)).toEqual({})
  })

  test('ends the online period of a system that booted, and of no other', async () => {
    const [a, b] = fleet
    if (a === undefined || b === undefined) throw new Error('no fleet')
    const first = [reportOf(a), reportOf(b)]
    await batch(first)
    await batch([
      reportOf(a, { previous: first[0]?.id ?? null, boot_id: BOOT_B }),
      reportOf(b, { previous: first[1]?.id ?? null }),
    ])
    expect(await view.periods(a)).toHaveLength(1)
    expect((await view.contact(a)).boot_id).toBe(BOOT_B)
    expect(await view.periods(b)).toEqual([])
  })

  test('may be empty, and with a system named twice is a mistake of the caller', async () => {
    expect(await batch([])).toEqual([])
    const [a] = fleet
    if (a === undefined) throw new Error('no fleet')
    await expect(batch([reportOf(a), reportOf(a)])).rejects.toThrow('one of each system')
  })
})

test('a report that says what is known already moves the facts on to itself and leaves them as they are', async () => {
  const [a] = fleet
  if (a === undefined) throw new Error('no fleet')
  const first = reportOf(a)
  await recordReport(store.database.db, first)
  const before = await view.facts(a)
  const second = reportOf(a, { previous: first.id })
  expect(second.stateDigest).toBe(first.stateDigest)
  await recordReport(store.database.db, second)
  const after = await view.facts(a)
  expect(after).toEqual({
    ...before,
    report_id: toBytes(second.id),
    observed_at: second.observedAt,
    received_at: after?.received_at,
  })
})

test('batches never deadlock, in whatever order servers name their systems', async () => {
  const rounds = Array.from({ length: 40 }, (_, round) =>
    batch(
      (round % 2 === 0 ? fleet : fleet.toReversed()).map((system) =>
        reportOf(system, {
          sequence: nextSequence(),
          system: {
            ...createSystemState(),
            generation: round,
            reboot_needed: round % 3 === 0 ? ['kernel'] : [],
          },
        }),
      ),
    ),
  )
  const outcomes = (await Promise.all(rounds)).flat()
  expect(outcomes).toHaveLength(160)
  expect(await view.deadlocks()).toBe(0)
})
