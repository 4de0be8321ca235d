import { type Kysely, sql } from 'kysely'
import { DatabaseError } from 'pg'
import { sqlState, UNIQUE_VIOLATION } from './errors.ts'
import type { DB } from './schema.generated.ts'

/** SQLSTATE of an insert for which no partition exists (check_violation). */
const CHECK_VIOLATION = '23514'
/** Racing creators see one of these; the table is there then. */
const ALREADY_THERE = new Set(['42P07', UNIQUE_VIOLATION])

/** Makes the partitions of reports for this month and the next, in UTC. */
export async function createPartitions(db: Kysely<DB>): Promise<void> {
  const { rows } = await sql<{ month: string }>`
    select to_char(date_trunc('month', now() at time zone 'UTC') + n * interval '1 month', 'YYYY-MM-DD') as month
    from generate_series(0, 1) as n`.execute(db)
  for (const { month } of rows) await createPartition(db, month)
}

async function createPartition(db: Kysely<DB>, month: string): Promise<void> {
  const table = sql.id('reports_' + month.slice(0, 7).replace('-', '_'))
  try {
    await sql`create table if not exists ${table} partition of reports for values in (${sql.lit(month)})`.execute(
      db,
    )
  } catch (error) {
    if (!ALREADY_THERE.has(sqlState(error) ?? '')) throw error
  }
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
