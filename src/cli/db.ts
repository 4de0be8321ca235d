import { Command } from 'commander'
import { createInterface } from 'node:readline/promises'
import { loadConfig } from '../lib/config/load.ts'
import { createLogger } from '../lib/log.ts'
import { createConfiguredDatabase } from '../store/configured-database.ts'
import { type ConnectionOptions, describeConnection } from '../store/database.ts'
import { migrate, migrationStatus, type MigrationStatus } from '../store/migrate.ts'
import { emptyDatabase } from '../store/reset.ts'
import { UsageError } from './exit.ts'
import { escapeControls, printJson, printTable } from './output.ts'

interface PrintOptions {
  json: boolean
}

export function createDbCommand(): Command {
  return new Command('db')
    .description(
      'The database of the configuration, or the embedded one: its schema. Needs no running server.',
    )
    .addCommand(createMigrateCommand())
    .addCommand(createStatusCommand())
    .addCommand(createResetCommand())
}

function createMigrateCommand(): Command {
  return new Command('migrate')
    .description('Brings the schema to this version. A server does the same when it starts.')
    .option('--json', 'print JSON', false)
    .action(async ({ json }: PrintOptions) => {
      const applied = await withDatabase((connection) => migrate(connection, { log }))
      if (json) printJson({ applied })
      else if (applied.length === 0) print('nothing to do: the schema is up to date')
      else for (const name of applied) print(`applied ${name}`)
    })
}

function createStatusCommand(): Command {
  return new Command('status')
    .description('Lists the migrations: applied, pending, and those that a newer version has applied.')
    .option('--json', 'print JSON', false)
    .action(async ({ json }: PrintOptions) => {
      const rows = statusRows(await withDatabase((connection) => migrationStatus(connection)))
      if (json) printJson({ migrations: rows })
      else printTable(STATUS_COLUMNS, rows, 'no migrations')
    })
}

function createResetCommand(): Command {
  return new Command('reset')
    .description('Removes all data from the database, and its tables: `db migrate` makes them again.')
    .option('--yes', "do not ask for the database's name", false)
    .option('--json', 'print JSON', false)
    .action(async ({ yes, json }: PrintOptions & { yes: boolean }) => {
      const name = await withDatabase(async (connection) => {
        if (!yes) await confirm(connection)
        await emptyDatabase(connection)
        return connection.name
      })
      if (json) printJson({ emptied: name })
      else print(`emptied the database ${name}`)
    })
}

const log = createLogger({ level: 'warn' })

async function withDatabase<T>(work: (connection: ConnectionOptions) => Promise<T>): Promise<T> {
  const config = loadConfig({ env: process.env, cwd: process.cwd(), part: 'database' })
  const server = createConfiguredDatabase(config, log)
  try {
    return await work(await server.start())
  } finally {
    await server.stop()
  }
}

interface StatusRow {
  name: string
  state: 'applied' | 'pending' | 'unknown'
  applied_at: string | null
}

const STATUS_COLUMNS = [
  { header: 'migration', value: (row: StatusRow) => row.name },
  { header: 'state', value: (row: StatusRow) => row.state },
  { header: 'applied at', value: (row: StatusRow) => row.applied_at },
]

function statusRows({ applied, pending, unknown }: MigrationStatus): StatusRow[] {
  const foreign = new Set(unknown)
  return [
    ...applied.map(({ name, appliedAt }): StatusRow => {
      return { name, state: foreign.has(name) ? 'unknown' : 'applied', applied_at: appliedAt.toISOString() }
    }),
    ...pending.map((name): StatusRow => ({ name, state: 'pending', applied_at: null })),
  ]
}

async function confirm(connection: ConnectionOptions): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('db reset asks before it removes everything: give --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const question = `All data in ${describeConnection(connection)} will be removed.\nType the name of the database: `
    const answer = await terminal.question(question)
    if (answer.trim() !== connection.name) throw new Error('that is not its name; nothing was changed')
  } finally {
    terminal.close()
  }
}

function print(line: string): void {
  process.stdout.write(`${escapeControls(line)}\n`)
}
