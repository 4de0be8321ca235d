import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { withClient } from '../../src/store/database.ts'
import { migrate, migrationStatus } from '../../src/store/migrate.ts'
import { defaultMigrationsDirectory } from '../../src/store/migration-files.ts'
import { emptyDatabase } from '../../src/store/reset.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const log = createLogger({ level: 'silent' })

let fixture: TestDatabase
let directory: string

beforeEach(async () => {
  fixture = await createTestDatabase()
  await emptyDatabase(fixture.connection)
  directory = await mkdtemp(join(tmpdir(), 'migrations-'))
  await write('20260101000000_first', 'create table first (id int); insert into first values (1);')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
  await fixture.drop()
})

const write = (name: string, text: string) => writeFile(join(directory, `${name}.sql`), text)
const run = () => migrate(fixture.connection, { log, directory })
const query = (text: string) =>
  withClient(fixture.connection, 'test', async (client) => (await client.query<object>(text)).rows)

describe('migrate', () => {
  test('applies what is pending, in order and once, and says what', async () => {
    await write('20260102000000_second', 'alter table first add column more int;')
    expect(await run()).toEqual(['20260101000000_first', '20260102000000_second'])
    expect(await run()).toEqual([])
    await write('20260103000000_third', 'update first set more = id + 1')
    expect(await run()).toEqual(['20260103000000_third'])
    expect(await query('select id, more from first')).toEqual([{ id: 1, more: 2 }])
  })

  test('ten servers that start at once apply each migration once', async () => {
    await write('20260102000000_slow', 'select pg_sleep(0.2); insert into first values (2);')
    const results = await Promise.all(Array.from({ length: 10 }, run))
    expect(results.flat().sort()).toEqual(['20260101000000_first', '20260102000000_slow'])
    expect(await query('select id from first order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('the repository makes its schema from nothing', async () => {
    const names = (await readdir(defaultMigrationsDirectory())).filter((file) => /^\d{14}_/.test(file)).sort()
    const applied = await migrate(fixture.connection, { log })
    expect(applied.map((name) => `${name}.sql`)).toEqual(names)
  })

  test('a statement that fails is named by file and line, and nothing stays of the migrations', async () => {
    await write('20260102000000_broken', '-- größer als ein Byte\nselect 1;\nselect nonsense;\n')
    const error: unknown = await run().catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      message: expect.stringContaining(`cannot migrate database "${fixture.connection.name}"`),
      cause: {
        message: `migration 20260102000000_broken failed (${directory}/20260102000000_broken.sql line 3)`,
        cause: { message: 'column "nonsense" does not exist' },
      },
    })
    expect(await query("select to_regclass('first') as first")).toEqual([{ first: null }])
  })

  test('refuses a database that a newer version has migrated', async () => {
    await write('20260102000000_newer', 'select 1')
    await run()
    await rm(join(directory, '20260102000000_newer.sql'))
    await expect(run()).rejects.toThrow(/is newer than this version .* know \(20260102000000_newer\)/)
  })

  test('refuses a migration that sorts before an applied one', async () => {
    await run()
    await write('20251231000000_late', 'select 1')
    await expect(run()).rejects.toThrow(
      /20251231000000_late sorts before 20260101000000_first.*later timestamp/,
    )
  })

  test.each([
    ['0001_counter', /0001_counter.sql is not named like a migration/],
    [
      '20260101000000_other',
      /20260101000000_first.sql and 20260101000000_other.sql carry the same timestamp/,
    ],
  ])('refuses the file %s.sql', async (name, message) => {
    await write(name, 'select 1')
    await expect(run()).rejects.toThrow(message)
  })

  test('says where it could not connect to', async () => {
    const connection = { ...fixture.connection, host: '127.0.0.1', port: 1 }
    await expect(migrate(connection, { log, directory })).rejects.toThrow(
      `cannot connect to database "${fixture.connection.name}" at 127.0.0.1:1 as user "crystal_forge"`,
    )
  })
})

test('the status tells applied, pending and unknown migrations, and changes nothing', async () => {
  const status = () => migrationStatus(fixture.connection, { directory })
  expect(await status()).toEqual({ applied: [], pending: ['20260101000000_first'], unknown: [] })
  expect(await query("select to_regclass('schema_migrations') as table")).toEqual([{ table: null }])
  await write('20260102000000_second', 'select 1')
  await run()
  await rm(join(directory, '20260102000000_second.sql'))
  await write('20260103000000_third', 'select 1')
  expect(await status()).toEqual({
    applied: [
      { name: '20260101000000_first', appliedAt: expect.any(Date) },
      { name: '20260102000000_second', appliedAt: expect.any(Date) },
    ],
    pending: ['20260103000000_third'],
    unknown: ['20260102000000_second'],
  })
})

describe('emptyDatabase', () => {
  test('leaves a database that can be migrated again', async () => {
    await run()
    await emptyDatabase(fixture.connection)
    expect(await run()).toEqual(['20260101000000_first'])
  })

  test('refuses while others are connected, and names them', async () => {
    await run()
    await withClient(fixture.connection, 'crystal-forge server', async () => {
      await expect(emptyDatabase(fixture.connection)).rejects.toThrow(
        /others are connected to database .* \(crystal-forge server\): stop them first/,
      )
    })
    expect(await query('select id from first')).toEqual([{ id: 1 }])
  })
})
