import { afterAll, beforeAll, expect, test } from 'vitest'
import { findOrAddFlake } from '../../src/store/flakes.ts'
import { listJobRuns, recordRun, registerJob } from '../../src/store/job-runs.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

const run = (name: string, work: () => Promise<void>) => recordRun(store.database.db, name, work)
const rowOf = async (name: string) => (await listJobRuns(store.database.db)).find((row) => row.name === name)

test('a job that never ran is listed, and registering it again changes nothing', async () => {
  await registerJob(store.database.db, 'never')
  await registerJob(store.database.db, 'never')
  expect(await rowOf('never')).toEqual({
    name: 'never',
    next_at: null,
    started_at: null,
    finished_at: null,
    failed_at: null,
    error: null,
  })
})

test('a job is due when its last run says, and flakes are polled when the first of them is due', async () => {
  const { db } = store.database
  await registerJob(db, 'due', new Date('2026-11-23T12:00:00Z'))
  expect(await rowOf('due')).toMatchObject({ next_at: new Date('2026-11-23T12:00:00Z') })
  await recordRun(db, 'due', () => Promise.resolve(), new Date('2026-11-23T13:00:00Z'))
  expect(await rowOf('due')).toMatchObject({ next_at: new Date('2026-11-23T13:00:00Z') })
  await registerJob(db, 'poll-flakes')
  expect(await rowOf('poll-flakes')).toMatchObject({ next_at: null })
  await findOrAddFlake(db, 'git+https://example.org/x')
  expect(await rowOf('poll-flakes')).toMatchObject({ next_at: expect.any(Date) })
})

test('a run is written down when it starts and when it ends', async () => {
  await registerJob(store.database.db, 'good')
  await run('good', async () => {
    expect(await rowOf('good')).toMatchObject({ started_at: expect.any(Date), finished_at: null })
  })
  expect(await rowOf('good')).toMatchObject({ finished_at: expect.any(Date), failed_at: null, error: null })
})

test('a failed run is written down with its error, and thrown on; the next good one clears the error', async () => {
  await registerJob(store.database.db, 'bad')
  const failure = new Error('no room left')
  await expect(run('bad', () => Promise.reject(failure))).rejects.toBe(failure)
  expect(await rowOf('bad')).toMatchObject({
    finished_at: null,
    failed_at: expect.any(Date),
    error: 'no room left',
  })
  await run('bad', () => Promise.resolve())
  expect(await rowOf('bad')).toMatchObject({
    finished_at: expect.any(Date),
    failed_at: expect.any(Date),
    error: null,
  })
})

test('a registered job keeps its last run when a server starts again', async () => {
  await registerJob(store.database.db, 'again')
  await run('again', () => Promise.resolve())
  const before = await rowOf('again')
  await registerJob(store.database.db, 'again')
  expect(await rowOf('again')).toEqual(before)
})
