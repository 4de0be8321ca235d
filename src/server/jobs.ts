import type { Kysely } from 'kysely'
import type { Logger } from '../lib/log.ts'
import { cronOf, nextTime, type Schedule } from '../lib/schedule.ts'
import type { JobQueue } from '../store/job-queue.ts'
import { recordRun, registerJob } from '../store/job-runs.ts'
import type { DB } from '../store/schema.generated.ts'

/** One recurring job; one server of all runs it each time. */
export interface Job {
  name: string
  schedule: Schedule
  run: () => Promise<void>
}

/** A job that is lost with its server is given to another after this. */
const EXPIRE_SECS = 15 * 60

/** Has the queue run the recurring jobs, and each of them once now: a new server is in order at once. */
export async function startRecurringJobs(options: {
  db: Kysely<DB>
  queue: JobQueue
  jobs: readonly Job[]
  log: Logger
}): Promise<void> {
  const { db, queue, jobs, log } = options
  const run = async (job: Job): Promise<void> => {
    try {
      await recordRun(db, job.name, job.run, nextTime(job.schedule, Date.now()))
      log.info({ job: job.name }, 'job done')
    } catch (err) {
      log.error({ err, job: job.name }, 'job failed')
      throw err
    }
  }
  for (const job of jobs) {
    await registerJob(db, job.name, nextTime(job.schedule, Date.now()))
    await queue.boss.createQueue(job.name, { policy: 'singleton', expireInSeconds: EXPIRE_SECS })
    await queue.boss.schedule(job.name, cronOf(job.schedule), {}, { tz: 'UTC' })
    await queue.boss.work(job.name, () => run(job))
    await queue.boss.send(job.name)
  }
}
