import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { Secret } from '../../src/lib/secret.ts'
import {
  type ConnectionOptions,
  createDatabase,
  type Database,
  withClient,
} from '../../src/store/database.ts'
import type { TestPostgres } from './global-setup.ts'
import { waitFor } from './wait.ts'

export interface TestDatabase {
  connection: ConnectionOptions
  database: Database
  /** Closes `database` and removes the database; rejects when the code under test left connections to it open. */
  drop: () => Promise<void>
}

/** A migrated, empty database of its own. Call `drop` in afterEach or afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = await testPostgresConnection()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdministrator(template, `create database ${name} template ${template.name}`)
  const connection = { ...template, name }
  const database = createDatabase(connection, {
    maxConnections: 5,
    applicationName: 'test',
    log: createLogger({ level: 'warn' }),
  })
  return { connection, database, drop: () => dropDatabase(template, name, database) }
}

/** The PostgreSQL of this run, and its migrated template database, which tests must not connect to. */
export async function testPostgresConnection(): Promise<ConnectionOptions> {
  const answer: TestPostgres | { error: string } = JSON.parse(
    await text(connect(inject('testPostgresSocket'))),
  )
  if ('error' in answer) throw new Error(`no PostgreSQL for the tests: ${answer.error}`)
  return { ...answer, password: new Secret(answer.password), ssl: 'disable', ca: null }
}

async function dropDatabase(template: ConnectionOptions, name: string, database: Database): Promise<void> {
  await database.close()
  const leaked = await connectionsThatStay(template, name)
  await asAdministrator(template, `drop database ${name} with (force)`)
  if (leaked.length > 0) throw new Error(`connections were left open:\n${leaked.join('\n')}`)
}

/** Empty when all are gone within a moment: a closed connection stays listed until its process has ended. */
async function connectionsThatStay(template: ConnectionOptions, name: string): Promise<string[]> {
  const query = `select application_name || ': ' || query as line from pg_stat_activity
    where datname = $1 and backend_type = 'client backend'`
  return withClient({ ...template, name: 'postgres' }, 'test', async (client) => {
    let lines: string[] = []
    const allGone = waitFor(
      async () => {
        const { rows } = await client.query<{ line: string }>(query, [name])
        lines = rows.map(({ line }) => line)
        return lines.length === 0
      },
      { timeoutMs: 2000 },
    )
    await allGone.catch(() => {})
    return lines
  })
}

async function asAdministrator(template: ConnectionOptions, statement: string): Promise<void> {
  await withClient({ ...template, name: 'postgres' }, 'test', (client) => client.query(statement))
}
