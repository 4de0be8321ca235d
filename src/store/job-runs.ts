import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export interface JobRunRow {
  name: string
  started_at: Date | null
  finished_at: Date | null
  failed_at: Date | null
  error: string | null
}

/** Makes the job known before it ever ran, so that "never ran" can be seen. */
export async function registerJob(db: Kysely<DB>, name: string): Promise<void> {
  await db
    .insertInto('job_runs')
    .values({ name })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Runs a job and records its start and its end, failed or not; the failure is thrown on. */
export async function recordRun(db: Kysely<DB>, name: string, run: () => Promise<void>): Promise<void> {
  const set = (columns: Record<string, unknown>) =>
    db.updateTable('job_runs').set(columns).where('name', '=', name).execute()
  await set({ started_at: sql`now()` })
  try {
    await run()
  } catch (error) {
    await set({ failed_at: sql`now()`, error: error instanceof Error ? error.message : String(error) })
    throw error
  }
  await set({ finished_at: sql`now()`, error: null })
}

export async function listJobRuns(db: Kysely<DB>): Promise<JobRunRow[]> {
  return db.selectFrom('job_runs').selectAll().orderBy('name').execute()
}
