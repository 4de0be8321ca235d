import { type Kysely, sql, type Transaction } from 'kysely'
import { DatabaseError } from 'pg'
import { sqlState } from './errors.ts'
import type { DB } from './schema.generated.ts'

/** SQLSTATE of an insert for which no partition exists (check_violation). */
const CHECK_VIOLATION = '23514'
const LOCK_NOT_AVAILABLE = '55P03'

/** Shorter than PostgreSQL's deadlock_timeout of 1 s: who makes a partition gives way, nobody else. */
const LOCK_TIMEOUT = '500ms'
const ATTEMPTS = 20

/** Makes the partitions of reports for this month and the next, in UTC. */
export async function createPartitions(db: Kysely<DB>): Promise<void> {
  const { rows } = await sql<{ month: string }>`
    select to_char(date_trunc('month', now() at time zone 'UTC') + n * interval '1 month', 'YYYY-MM-DD') as month
    from generate_series(0, 1) as n`.execute(db)
  for (const { month } of rows) await createPartition(db, month)
}

/** The name of the partition of a month, `YYYY-MM-DD`. */
export function partitionOf(month: string): string {
  return 'reports_' + month.slice(0, 7).replace('-', '_')
}

async function createPartition(db: Kysely<DB>, month: string): Promise<void> {
  for (let attempt = 1; !(await exists(db, partitionOf(month))); attempt += 1)
    try {
      await db.transaction().execute((transaction) => attach(transaction, month))
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || attempt === ATTEMPTS) throw error
    }
}

/**
 * Attaches a table made beforehand, which lets reports be read and written meanwhile; `create table … partition of` does
 * not, and deadlocks with them over the tables of the foreign keys, which are locked first for the same reason.
 */
async function attach(transaction: Transaction<DB>, month: string): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(transaction)
  await sql`lock table keys, systems in share row exclusive mode`.execute(transaction)
  if (await exists(transaction, partitionOf(month))) return
  const table = sql.id(partitionOf(month))
  await sql`create table ${table} (like reports including constraints)`.execute(transaction)
  await sql`alter table reports attach partition ${table} for values in (${sql.lit(month)})`.execute(
    transaction,
  )
}

async function exists(db: Kysely<DB>, table: string): Promise<boolean> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass(${table}) is not null as exists`.execute(
    db,
  )
  return rows[0]?.exists === true
}

/** Runs `write`, and once more after making the partitions if the month's was missing (the job did not run). */
export async function withPartition<T>(db: Kysely<DB>, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== CHECK_VIOLATION || error.table !== 'reports')
      throw error
    await createPartitions(db)
    return write()
  }
}
