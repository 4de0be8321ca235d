import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { createEventFeed } from '../../src/server/events/feed.ts'
import { type EventRow, presentPosition } from '../../src/store/events.ts'
import { createTestDatabase } from '../support/database.ts'
import { waitFor } from '../support/wait.ts'

test('a listener that fails is dropped and logged, and takes nothing from the others', async () => {
  const store = await createTestDatabase()
  onTestFinished(() => store.drop())
  const { db } = store.database
  let logged = ''
  const destination = { write: (line: string) => void (logged += line) }
  const feed = createEventFeed({ db, log: createLogger({ destination }) })
  onTestFinished(feed.stop)
  const note = (name: string) =>
    sql`insert into events (kind, details) values ('head', ${JSON.stringify({ name })})`.execute(db)

  let failures = 0
  const heard: unknown[] = []
  const at = await presentPosition(db)
  feed.join(at, () => {
    failures += 1
    throw new Error('a fault of this reader')
  })
  feed.join(at, (events: readonly EventRow[]) => void heard.push(...events.map(({ details }) => details)))
  await note('first')
  await waitFor(() => heard.length === 1)
  await note('second')
  await waitFor(() => heard.length === 2)
  expect(heard).toEqual([{ name: 'first' }, { name: 'second' }])
  expect(failures).toBe(1)
  expect(logged).toContain('a fault of this reader')
})
