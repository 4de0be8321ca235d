import { sql } from 'kysely'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { clientConfig, createDatabase, withClient } from '../../src/store/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { waitFor } from '../support/wait.ts'

let fixture: TestDatabase

beforeAll(async () => {
  fixture = await createTestDatabase()
})
afterAll(() => fixture.drop())

async function valueOf(expression: string): Promise<unknown> {
  const query = sql<{ value: unknown }>`select ${sql.raw(expression)} as value`
  return (await query.execute(fixture.database.db)).rows[0]?.value
}

describe('columns', () => {
  test.each([
    ['bigint', "'9007199254740991'::bigint", Number.MAX_SAFE_INTEGER],
    ['bigint[]', 'array[1, null, -2]::bigint[]', [1, null, -2]],
    ['date', "'2026-02-28'::date", '2026-02-28'],
    ['an infinite date', "'-infinity'::date", '-infinity'],
    ['date[]', "array['2026-02-28'::date]", ['2026-02-28']],
    ['timestamptz', "'2026-02-28 01:02:03+00'::timestamptz", new Date('2026-02-28T01:02:03Z')],
    ['bytea', "'\\xff00'::bytea", Buffer.from([255, 0])],
    ['jsonb', `'{"a": [1]}'::jsonb`, { a: [1] }],
    ['numeric', '1.50::numeric', '1.50'],
  ])('%s comes back as the value its row type says', async (_type, expression, expected) => {
    expect(await valueOf(expression)).toEqual(expected)
  })

  test('a bigint that a number cannot hold is an error rather than another number', async () => {
    await expect(valueOf("'9007199254740992'::bigint")).rejects.toThrow(
      'the bigint 9007199254740992 does not fit into a number',
    )
  })
})

test('a lost connection fails its query, is logged, and the next query gets a new one', async () => {
  const lines: string[] = []
  const log = createLogger({ level: 'warn', destination: { write: (line: string) => lines.push(line) } })
  const database = createDatabase(fixture.connection, { maxConnections: 1, applicationName: 'victim', log })
  const connections = sql`from pg_stat_activity where application_name = 'victim'`
  const terminate = async () => {
    await sql`select pg_terminate_backend(pid) ${connections}`.execute(fixture.database.db)
    await waitFor(() => database.pool.totalCount === 0, { what: 'the pool to notice the loss' })
  }
  try {
    const sleeping = sql`select pg_sleep(30)`.execute(database.db)
    sleeping.catch(() => {})
    await waitFor(async () => {
      const { rows } = await sql`select ${connections} and state = 'active'`.execute(fixture.database.db)
      return rows.length
    })
    await terminate()
    await expect(sleeping).rejects.toThrow('terminating connection')
    await sql`select 1`.execute(database.db)
    await terminate()
    await sql`select 1`.execute(database.db)
    expect(lines.filter((line) => line.includes('lost a database connection')).length).toBeGreaterThanOrEqual(
      2,
    )
  } finally {
    await database.close()
  }
})

test('closing twice is closing once, also when no query was ever made', async () => {
  const database = createDatabase(fixture.connection, {
    maxConnections: 1,
    applicationName: 'test',
    log: createLogger({ level: 'silent' }),
  })
  await Promise.all([database.close(), database.close()])
  expect(database.pool.ended).toBe(true)
})

test('two test databases are apart from each other', async () => {
  const other = await createTestDatabase()
  await sql`create table here (id int)`.execute(other.database.db)
  const { rows } = await sql`select to_regclass('here') as here`.execute(fixture.database.db)
  expect(rows).toEqual([{ here: null }])
  await other.drop()
})

test('dropping a test database names the connections that were left open', async () => {
  const other = await createTestDatabase()
  const leaking = createDatabase(other.connection, {
    maxConnections: 1,
    applicationName: 'leaky',
    log: createLogger({ level: 'silent' }),
  })
  await sql`select 42`.execute(leaking.db)
  await expect(other.drop()).rejects.toThrow('connections were left open:\nleaky: select 42')
  await leaking.close()
})

describe('TLS', () => {
  test.each([
    [{ ssl: 'disable' as const }, false],
    [{ ssl: 'require' as const }, { rejectUnauthorized: false }],
    [{ ssl: 'verify-full' as const }, { rejectUnauthorized: true }],
    [
      { ssl: 'verify-full' as const, ca: 'PEM' },
      { rejectUnauthorized: true, ca: 'PEM' },
    ],
    [{ ssl: 'verify-full' as const, host: '/run/postgresql' }, false],
  ])('%o is %o for pg', (options, expected) => {
    const connection = { ...fixture.connection, host: 'db.example.org', ...options }
    expect(clientConfig(connection, 'test').ssl).toEqual(expected)
  })

  test('a server without it is an error, not a connection in the clear', async () => {
    const connection = { ...fixture.connection, host: '127.0.0.1', ssl: 'require' as const }
    const server = createServer((socket) => {
      // SSLRequest is answered with S or N (PostgreSQL protocol, "SSL Session Encryption")
      socket.once('data', () => socket.end('N'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const attempt = withClient({ ...connection, port }, 'test', async () => 'connected')
    await expect(attempt).rejects.toMatchObject({
      cause: { message: 'The server does not support SSL connections' },
    })
    server.close()
  })
})
