import * as fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limitsFor, liveness } from '../../src/fleet/liveness.ts'
import { livenessSql } from '../../src/store/system-list.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, type StoredSystem } from '../support/entries.ts'

let store: TestDatabase
let system: StoredSystem
beforeAll(async () => {
  store = await createTestDatabase()
  system = await addStoredSystem(store.database.db, 'web1')
})
afterAll(() => store.drop())

const duration = fc.integer({ min: 1, max: 40 * 86_400_000 })
const limits = fc.record({ lateAfterMs: duration, offlineAfterMs: duration })
const intervalSecs = fc.oneof(fc.constantFrom(10, 60, 600), fc.integer({ min: 1, max: 100_000 }))
/** Around a limit, where mistakes hide, or anywhere. */
const silence = fc.oneof(
  fc.record({
    limit: fc.constantFrom('lateAfterMs' as const, 'offlineAfterMs' as const),
    by: fc.integer({ min: -2, max: 2 }),
  }),
  fc.integer({ min: -100_000, max: 80 * 86_400_000 }),
  fc.constant(null),
)

test('what SQL says of a contact is what the rule says', async () => {
  await fc.assert(
    fc.asyncProperty(limits, intervalSecs, silence, async (settings, interval, given) => {
      const own = limitsFor(settings, interval)
      const silenceMs = typeof given === 'object' && given !== null ? own[given.limit] + given.by : given
      const sqlSays = await store.database.db.transaction().execute(async (trx) => {
        // now() stays that of the start of the transaction: the silence is exactly what was given
        await sql`update contacts set interval_secs = ${interval},
          last_contact = now() - make_interval(secs => ${silenceMs}::double precision / 1000)
          where system_id = ${system.systemId}`.execute(trx)
        const row = await trx
          .selectFrom('contacts')
          .select(livenessSql(settings).as('liveness'))
          .executeTakeFirstOrThrow()
        return row.liveness
      })
      expect(sqlSays).toBe(liveness(silenceMs === null ? null : -silenceMs, 0, own))
    }),
    { numRuns: 500 },
  )
})
