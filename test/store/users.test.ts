import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addUser, changeUser, findUser } from '../../src/store/users.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { waitFor } from '../support/wait.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

test('a change of a user that comes while another is made undoes nothing of it, also where nobody is an administrator', async () => {
  const { db } = store.database
  const { id } = await db
    .transaction()
    .execute((transaction) =>
      addUser(transaction, { name: 'vera', displayName: '', role: 'operator', password: null }),
    )
  let later: Promise<unknown> = Promise.resolve()
  await db.transaction().execute(async (transaction) => {
    await changeUser(transaction, id, { role: 'viewer' })
    later = db.transaction().execute((other) => changeUser(other, id, { display_name: 'Vera' }))
    await waitFor(async () => {
      const { rows } = await sql`select from pg_locks where not granted`.execute(db)
      return rows.length > 0
    })
  })
  await later
  expect(await findUser(db, id)).toMatchObject({ role: 'viewer', display_name: 'Vera' })
})
