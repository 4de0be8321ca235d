import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { Logger } from '../lib/log.ts'
import { type ConnectionOptions, createDatabase, describeConnection, withClient } from './database.ts'
import { defaultMigrationsDirectory, type Migration, readMigrations } from './migration-files.ts'

export interface AppliedMigration {
  name: string
  appliedAt: Date
}

/** `unknown`: in the database, but not among the files. All in the order in which they are applied. */
export interface MigrationStatus {
  applied: AppliedMigration[]
  pending: string[]
  unknown: string[]
}

/** Refused before anything was changed: what the database holds does not fit the files. */
export class MigrationHistoryError extends Error {
  override name = 'MigrationHistoryError'
}

const APPLICATION_NAME = 'crystal-forge migrate'
const TABLE = 'schema_migrations'
const LOCK_TABLE = 'schema_migrations_lock'

/**
 * Brings the database to the newest migration and returns the names of those it applied, in order. All in one
 * transaction: after an error the database is as it was. Several at once wait for each other (an advisory lock).
 * Throws a MigrationHistoryError when the database is newer than the files, or a new file sorts before an applied one;
 * an Error with file and line when a statement fails; an Error that says where to when it cannot connect.
 */
export async function migrate(
  connection: ConnectionOptions,
  { log, directory = defaultMigrationsDirectory() }: { log: Logger; directory?: string },
): Promise<string[]> {
  const migrations = await readMigrations(directory)
  const status = await readStatus(connection, migrations)
  checkHistory(connection, status)
  if (status.pending.length === 0) return []
  const applied = await applyMigrations(connection, migrations, log)
  for (const name of applied) log.info({ migration: name }, 'applied a migration')
  return applied
}

/** What is applied and what is not. Changes nothing. */
export async function migrationStatus(
  connection: ConnectionOptions,
  { directory = defaultMigrationsDirectory() }: { directory?: string } = {},
): Promise<MigrationStatus> {
  return readStatus(connection, await readMigrations(directory))
}

async function readStatus(connection: ConnectionOptions, migrations: Migration[]): Promise<MigrationStatus> {
  const rows = await withClient(connection, APPLICATION_NAME, async (client) => {
    const table = await client.query<{ exists: boolean }>(
      `select to_regclass('${TABLE}') is not null as exists`,
    )
    if (table.rows[0]?.exists !== true) return []
    const applied = await client.query<{ name: string; timestamp: string }>(
      `select name, timestamp from ${TABLE} order by timestamp, name`,
    )
    return applied.rows
  })
  const appliedNames = new Set(rows.map(({ name }) => name))
  const knownNames = new Set(migrations.map(({ name }) => name))
  return {
    applied: rows.map(({ name, timestamp }) => ({ name, appliedAt: new Date(timestamp) })),
    pending: [...knownNames].filter((name) => !appliedNames.has(name)),
    unknown: [...appliedNames].filter((name) => !knownNames.has(name)),
  }
}

function checkHistory(connection: ConnectionOptions, { applied, pending, unknown }: MigrationStatus): void {
  if (unknown.length > 0) {
    throw new MigrationHistoryError(
      `${describeConnection(connection)} is newer than this version of Crystal Forge: it holds migrations this version ` +
        `does not know (${unknown.join(', ')}). Run the version that made them, or a later one.`,
    )
  }
  const last = applied.at(-1)?.name
  const late = last === undefined ? [] : pending.filter((name) => name < last)
  if (late.length > 0) {
    throw new MigrationHistoryError(
      `the migration ${late.join(', ')} sorts before ${last}, which is already applied to ` +
        `${describeConnection(connection)}. Migrations are only ever appended: give it a later timestamp.`,
    )
  }
}

async function applyMigrations(
  connection: ConnectionOptions,
  migrations: Migration[],
  log: Logger,
): Promise<string[]> {
  const database = createDatabase(connection, { maxConnections: 1, applicationName: APPLICATION_NAME, log })
  try {
    const migrator = new Migrator({
      db: database.db,
      provider: {
        getMigrations: async () => Object.fromEntries(migrations.map((each) => [each.name, runnable(each)])),
      },
      migrationTableName: TABLE,
      migrationLockTableName: LOCK_TABLE,
      nameComparator: (a, b) => (a < b ? -1 : 1),
    })
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error !== undefined) throw asError(error, connection)
    return results.map(({ migrationName }) => migrationName)
  } finally {
    await database.close()
  }
}

function runnable({ name, file, text }: Migration): { up: (db: Kysely<unknown>) => Promise<void> } {
  return {
    up: async (db) => {
      try {
        // Without parameters `pg` sends a simple query, which may hold many statements.
        await sql.raw(text).execute(db)
      } catch (error) {
        throw new Error(`migration ${name} failed (${file}${lineOf(error, text)})`, { cause: error })
      }
    },
  }
}

/** PostgreSQL counts the position of an error in characters of the text it was sent, from 1. */
function lineOf(error: unknown, text: string): string {
  const position = error instanceof Error ? Number(Reflect.get(error, 'position')) : Number.NaN
  if (!Number.isInteger(position)) return ''
  let line = 1
  let left = position
  for (const character of text) {
    if (--left === 0) break
    if (character === '\n') line++
  }
  return ` line ${line}`
}

function asError(error: unknown, connection: ConnectionOptions): Error {
  return new Error(`cannot migrate ${describeConnection(connection)}`, { cause: error })
}
