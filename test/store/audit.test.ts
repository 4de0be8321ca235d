import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Actor, type Change, changeAs, expireAudit, recordChange } from '../../src/store/audit.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const ALICE: Actor = { kind: 'user', id: '7', name: 'alice', role: 'operator', address: '192.0.2.1' }
const CHANGE: Change = {
  action: 'system.change',
  subject: { kind: 'system', id: 1, name: 'web1' },
  before: { environment: null },
  after: { environment: 'lab' },
}

let store: TestDatabase
beforeEach(async () => {
  store = await createTestDatabase()
})
afterEach(() => store.drop())

const records = () => store.database.db.selectFrom('audit').selectAll().orderBy('id').execute()
const record = (change: Partial<Change> = {}, actor = ALICE) =>
  changeAs(store.database.db, actor, (transaction) => recordChange(transaction, { ...CHANGE, ...change }))

describe('a record', () => {
  test('says who did what to what, and how it was before and after', async () => {
    await record()
    expect(await records()).toEqual([
      {
        id: expect.any(Number),
        at: expect.any(Date),
        actor_kind: 'user',
        actor_id: '7',
        actor_name: 'alice',
        role: 'operator',
        address: '192.0.2.1',
        action: 'system.change',
        subject_kind: 'system',
        subject_id: '1',
        subject_name: 'web1',
        before: { environment: null },
        after: { environment: 'lab' },
      },
    ])
  })

  test('is not made where nothing is different', async () => {
    await record({ after: { environment: null } })
    expect(await records()).toEqual([])
  })

  test('goes with its change when that fails', async () => {
    const failing = changeAs(store.database.db, ALICE, async (transaction) => {
      await recordChange(transaction, CHANGE)
      throw new Error('it failed')
    })
    await expect(failing).rejects.toThrow('it failed')
    expect(await records()).toEqual([])
  })

  test('of what nobody asked for says that Crystal Forge did it', async () => {
    await store.database.db.transaction().execute((transaction) => recordChange(transaction, CHANGE))
    expect(await records()).toMatchObject([{ actor_kind: 'system', actor_name: 'crystal-forge' }])
  })

  test('keeps whatever a name holds as it is', async () => {
    const name = `web1\r\n2026-01-01 admin signed in\u202E\u001b[2J","=cmd|' /C calc'!A0'); drop table audit; --`
    await record({ subject: { kind: 'system', id: 1, name } }, { ...ALICE, name })
    expect(await records()).toMatchObject([{ actor_name: name, subject_name: name }])
  })

  test.each([
    'update audit set actor_name = $$mallory$$',
    'delete from audit',
    'truncate audit',
    'update audit set id = default where false',
  ])('is never changed or removed: %s', async (statement) => {
    await record()
    await expect(sql.raw(statement).execute(store.database.db)).rejects.toThrow('never changed or removed')
    expect(await records()).toHaveLength(1)
  })
})

test('retention forgets what is older than it was told, and nothing else may afterwards', async () => {
  const { db } = store.database
  await db
    .insertInto('audit')
    .values(
      [-1, 1].map((side) => ({
        at: new Date(Date.now() - (10 + side) * 86_400_000),
        actor_kind: 'user',
        actor_name: 'alice',
        action: 'system.add',
        subject_kind: 'system',
        subject_name: side === 1 ? 'old' : 'young',
      })),
    )
    .execute()
  await expireAudit(db, 10 * 86_400_000)
  expect((await records()).map((row) => row.subject_name)).toEqual(['young'])
  await expect(sql`delete from audit`.execute(db)).rejects.toThrow('never changed or removed')
})
