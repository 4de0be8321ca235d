import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DRIFT_STATES } from '../../src/fleet/drift.ts'
import { setArchived } from '../../src/store/systems.ts'
import { addUpTally, countByDrift } from '../../src/store/tally.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem } from '../support/entries.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Counts of every state, standing and pair of both that there are rows of, from the rows and from the tally. */
async function expectTallied(): Promise<void> {
  const { db } = database.database
  const rows = await db.selectFrom('drift').select(['state', 'standing']).execute()
  expect(await countByDrift(db, {})).toBe(rows.length)
  for (const drift of DRIFT_STATES) {
    expect(await countByDrift(db, { drift })).toBe(rows.filter(({ state }) => state === drift).length)
    for (const standing of DRIFT_STATES)
      expect(await countByDrift(db, { drift, standing })).toBe(
        rows.filter((row) => row.state === drift && row.standing === standing).length,
      )
  }
}

const set = (state: string, standing: string, which: string) =>
  sql`update drift set state = ${state}, standing = ${standing} where ${sql.raw(which)}`.execute(
    database.database.db,
  )

test('counts follow systems that are added, judged anew, archived and brought back', async () => {
  const { db } = database.database
  const systems: number[] = []
  for (let n = 0; n < 12; n += 1) systems.push((await addStoredSystem(db, `host${n}`)).systemId)
  await expectTallied()
  await set('behind', 'behind', 'system_id % 3 = 0')
  await set('pending', 'behind', 'system_id % 6 = 0')
  await set('pending', 'in_sync', 'system_id % 5 = 0')
  await expectTallied()
  for (const systemId of systems.slice(0, 5)) await setArchived(db, systemId, true)
  await expectTallied()
  await addUpTally(db)
  await expectTallied()
  await setArchived(db, systems[0] ?? 0, false)
  await set('in_sync', 'in_sync', 'true')
  await expectTallied()
})

test('adding up leaves one row for each pair that there is, also when several do it at once while others write', async () => {
  const { db } = database.database
  for (let round = 0; round < 5; round += 1)
    await Promise.all([
      set('unmanaged', 'unmanaged', `system_id % 2 = ${round % 2}`),
      addUpTally(db),
      set('behind', 'behind', `system_id % 3 = ${round % 3}`),
      addUpTally(db),
    ])
  await expectTallied()
  await addUpTally(db)
  await expectTallied()
  const { rows } = await sql<{ rows: number; pairs: number }>`
    select (select count(*) from drift_tally) as rows,
      (select count(distinct (state, standing)) from drift) as pairs`.execute(db)
  expect(rows[0]?.rows).toBe(rows[0]?.pairs)
})

test('a change that is taken back is not counted', async () => {
  const { db } = database.database
  await db
    .transaction()
    .execute(async (transaction) => {
      await sql`update drift set state = 'off_branch', standing = 'off_branch'`.execute(transaction)
      throw new Error('taken back')
    })
    .catch(() => {})
  await expectTallied()
})
