import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import {
  type ConnectionOptions,
  createDatabase,
  type Database,
  withClient,
} from '../../src/store/database.ts'
import { isUnavailable } from '../../src/store/errors.ts'
import { createJobQueue, SYNC_FLAKE } from '../../src/store/job-queue.ts'
import { freeze } from '../faults/support/freeze.ts'
import { startPostgresPair } from '../faults/support/postgres-pair.ts'
import { waitFor } from '../support/wait.ts'

const log = createLogger({ level: 'silent' })

function open(connection: ConnectionOptions): Database {
  const database = createDatabase(connection, { maxConnections: 3, applicationName: 'test', log })
  onTestFinished(database.close)
  return database
}

/** Whether writes go where the system has this data directory. */
async function dataDirectory({ db }: Database): Promise<string | undefined> {
  const { rows } = await sql<{ data: string }>`select current_setting('data_directory') as data`.execute(db)
  return rows[0]?.data
}

test('of several servers the one that accepts writes is connected to, wherever it stands in the list', async () => {
  const pair = await startPostgresPair()
  const [first = '', second = ''] = pair.connection.host.split(',')
  for (const host of [`${first},${second}`, `${second},${first}`, `/nowhere,${second},${first}`]) {
    expect(await dataDirectory(open({ ...pair.connection, host }))).toBe(pair.primary().data)
    await withClient({ ...pair.connection, host }, 'test', async (client) => {
      await client.query('create table if not exists written ()')
    })
  }

  const nowhere = open({ ...pair.connection, host: `${second},/nowhere` })
  const refused: unknown = await sql`select 1`.execute(nowhere.db).catch((error: unknown) => error)
  expect(refused).toMatchObject({
    message: expect.stringMatching(
      /^no PostgreSQL server accepts writes \(the socket in \S+: a standby; the socket in \/nowhere: .*ENOENT/,
    ),
  })
  expect(isUnavailable(refused)).toBe(true)
})

test('connections leave a primary that no longer answers once another one accepts writes', async () => {
  const pair = await startPostgresPair()
  const database = open(pair.connection)
  const queue = createJobQueue({ connection: pair.connection, log })
  await queue.start()
  onTestFinished(queue.stop)
  expect(await dataDirectory(database)).toBe(pair.primary().data)
  await queue.requests.syncFlake(1)

  await freeze(pair.primary())
  const hanging = sql`select 1`.execute(database.db)
  hanging.catch(() => {})
  await pair.promote()
  const error: unknown = await hanging.catch((refusal: unknown) => refusal)
  expect(isUnavailable(error)).toBe(true)
  expect(await dataDirectory(database)).toBe(pair.primary().data)
  const jobs = await waitFor(() => queue.boss.fetch(SYNC_FLAKE), { what: 'the job', timeoutMs: 30_000 })
  expect(jobs).toMatchObject([{ data: { flakeId: 1 } }])
})
