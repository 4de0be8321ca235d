import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export interface JobRunRow {
  name: string
  /** When it runs next; null where that is not known, as for what no server has run yet. */
  next_at: Date | null
  started_at: Date | null
  finished_at: Date | null
  failed_at: Date | null
  error: string | null
}

/** Makes the job known before it ever ran, so that "never ran" can be seen, and when it is due. */
export async function registerJob(db: Kysely<DB>, name: string, nextAt: Date | null = null): Promise<void> {
  await db
    .insertInto('job_runs')
    .values({ name, next_at: nextAt })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ next_at: nextAt }))
    .execute()
}

/** Runs a job and records its start and its end, failed or not; the failure is thrown on. */
export async function recordRun(
  db: Kysely<DB>,
  name: string,
  run: () => Promise<void>,
  nextAt: Date | null = null,
): Promise<void> {
  const set = (columns: Record<string, unknown>) =>
    db.updateTable('job_runs').set(columns).where('name', '=', name).execute()
  await set({ started_at: sql`now()`, next_at: nextAt })
  try {
    await run()
  } catch (error) {
    await set({ failed_at: sql`now()`, error: error instanceof Error ? error.message : String(error) })
    throw error
  }
  await set({ finished_at: sql`now()`, error: null })
}

export async function listJobRuns(db: Kysely<DB>): Promise<JobRunRow[]> {
  const due = sql<Date | null>`case name
    when 'poll-flakes' then (select min(next_poll_at) from flakes where archived_at is null)
    else next_at end`
  return db
    .selectFrom('job_runs')
    .select(['name', 'started_at', 'finished_at', 'failed_at', 'error', due.as('next_at')])
    .orderBy('name')
    .execute()
}
