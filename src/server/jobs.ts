import type { QueryResult } from 'pg'
import { PgBoss } from 'pg-boss'
import type { Logger } from '../lib/log.ts'
import type { Database } from '../store/database.ts'
import { recordRun, registerJob } from '../store/job-runs.ts'

/** One recurring job. `cron` is in UTC; one server of all runs it each time. */
export interface Job {
  name: string
  cron: string
  run: () => Promise<void>
}

export interface Jobs {
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** A job that is lost with its server is given to another after this. */
const EXPIRE_SECS = 15 * 60

/** Runs the recurring jobs from the queue in PostgreSQL, and each of them once at start: a new server is in order at once. */
export function createJobs(options: { database: Database; jobs: readonly Job[]; log: Logger }): Jobs {
  const { database, jobs, log } = options
  const boss = new PgBoss({
    db: {
      // several statements in one text, as its migrations have, go without values and give several results
      executeSql: async (text, values) => {
        const result: QueryResult | QueryResult[] = await database.pool.query(text, values)
        return Array.isArray(result) ? { rows: result.flatMap((each) => each.rows) } : result
      },
    },
    cronMonitorIntervalSeconds: 30,
  })
  // the next poll tries again; the failure of a job itself is logged where it runs
  boss.on('error', (err) => log.warn({ err }, 'the job queue failed for now'))

  const run = async (job: Job): Promise<void> => {
    try {
      await recordRun(database.db, job.name, job.run)
      log.info({ job: job.name }, 'job done')
    } catch (err) {
      log.error({ err, job: job.name }, 'job failed')
      throw err
    }
  }

  return {
    async start() {
      await boss.start()
      for (const job of jobs) {
        await registerJob(database.db, job.name)
        await boss.createQueue(job.name, { policy: 'singleton', expireInSeconds: EXPIRE_SECS })
        await boss.schedule(job.name, job.cron, {}, { tz: 'UTC' })
        await boss.work(job.name, () => run(job))
        await boss.send(job.name)
      }
    },
    stop: () => boss.stop({ graceful: true, close: false, timeout: 5000 }),
  }
}
