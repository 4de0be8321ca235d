import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { SystemState } from '../../src/protocol/facts.ts'
import { acknowledgeFlag } from '../../src/store/flags.ts'
import { recordReport } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, reportOf, type StoredSystem } from '../support/entries.ts'
import { createSystemState } from '../support/messages.ts'

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

/** The newest report's digest, for the next one to go on from. */
async function report(members: Parameters<typeof reportOf>[1]): Promise<string> {
  const entry = reportOf(system, members)
  await recordReport(store.database.db, entry)
  return entry.id
}

const flagEvents = () =>
  store.database.db
    .selectFrom('events')
    .select(['kind', 'details'])
    .where('system_id', '=', system.systemId)
    .where('kind', 'in', ['flag_raised', 'flag_ended'])
    .orderBy('id')
    .execute()

const needsReboot = (parts: SystemState['reboot_needed']) => ({
  ...createSystemState(),
  reboot_needed: parts,
})

test('a flag that a report raises is an event, with what decides it', async () => {
  await report({ system: needsReboot(['kernel']) })
  expect(await flagEvents()).toEqual([
    { kind: 'flag_raised', details: { flag: 'reboot_needed', parts: ['kernel'] } },
  ])
})

test('one that stays up is no event, also with other details; one that ends is, with since when it was up', async () => {
  const first = await report({ system: needsReboot(['kernel']) })
  const second = await report({ system: needsReboot(['kernel', 'initrd']), previous: first })
  await report({ system: needsReboot([]), previous: second })
  expect(await flagEvents()).toEqual([
    { kind: 'flag_raised', details: { flag: 'reboot_needed', parts: ['kernel'] } },
    { kind: 'flag_ended', details: { flag: 'reboot_needed', since: expect.any(String) } },
  ])
})

test('a sticky flag is one event, however often it is raised, until an operator acknowledges it', async () => {
  await report({})
  await report({ previous: `sha256:${'1'.repeat(64)}` })
  await report({ previous: `sha256:${'2'.repeat(64)}` })
  const raised = { kind: 'flag_raised', details: expect.objectContaining({ flag: 'chain_broken' }) }
  expect(await flagEvents()).toEqual([raised])
  await acknowledgeFlag(store.database.db, system.systemId, 'chain_broken')
  expect(await flagEvents()).toEqual([
    raised,
    { kind: 'flag_ended', details: { flag: 'chain_broken', since: expect.any(String) } },
  ])
})

test('a report that is refused raises none', async () => {
  const first = reportOf(system)
  await recordReport(store.database.db, first)
  const replayed = reportOf(system, { sequence: first.sequence, system: needsReboot(['kernel']) })
  expect(await recordReport(store.database.db, replayed)).toMatchObject({ result: 'replayed' })
  expect(await flagEvents()).toEqual([])
})
