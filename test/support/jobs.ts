import { createLogger } from '../../src/lib/log.ts'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { createJobQueue, type JobRequests } from '../../src/store/job-queue.ts'

/** The job queue of a test's database; it connects when it is first used, as most tests never do. */
export function createTestJobs(connection: ConnectionOptions) {
  const queue = createJobQueue({ connection, log: createLogger({ level: 'silent' }) })
  let started: Promise<void> | undefined
  const ready = () => (started ??= queue.start())
  const requests: JobRequests = {
    syncFlake: async (...args) => {
      await ready()
      await queue.requests.syncFlake(...args)
    },
    evaluateCommit: async (...args) => {
      await ready()
      return queue.requests.evaluateCommit(...args)
    },
  }
  return {
    requests,
    /** The data of the jobs that wait in a queue, in the order in which they will be done. */
    waiting: async (name: string): Promise<object[]> => {
      await ready()
      const jobs = await queue.boss.findJobs<object>(name, { queued: true })
      return jobs
        .toSorted((a, b) => b.priority - a.priority || a.createdOn.getTime() - b.createdOn.getTime())
        .map((job) => job.data)
    },
    stop: async (): Promise<void> => {
      await started
      if (started !== undefined) await queue.stop()
    },
  }
}
