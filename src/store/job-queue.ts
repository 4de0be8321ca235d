import { CompiledQuery, type Transaction } from 'kysely'
import { Client } from 'pg'
import { type JobWithMetadata, PgBoss } from 'pg-boss'
import type { Logger } from '../lib/log.ts'
import { clientClass, clientConfig, type ConnectionOptions } from './database.ts'
import { sqlState, UNIQUE_VIOLATION } from './errors.ts'
import type { DB } from './schema.generated.ts'

export const SYNC_FLAKE = 'sync-flake'
export const EVALUATE_COMMIT = 'evaluate-commit'
/** Evaluations whose workers died again and again. */
export const LOST_EVALUATION = 'lost-evaluation'

export type SyncFlakeJob = { flakeId: number }
/** `again`: configurations that have a result and are to be evaluated all the same; null is those without one. */
export type EvaluateCommitJob = { commitId: number; again: string[] | null }

/** Of commits that somebody asks for: before those that are searched, after new heads (evaluator/jobs/priorities.ts). */
export const ASKED_PRIORITY = 1_000_000_000

/** What the server asks for: the evaluators do it. */
export interface JobRequests {
  /** One waits for each flake, and one runs, however often it is asked for; in the transaction that wants it, if one does. */
  syncFlake: (flakeId: number, transaction?: Transaction<DB>) => Promise<void>
  /**
   * One for each commit, in the transaction that wants it. Those of higher priority are done first. False: there is one
   * that waits or runs, and this one is none.
   */
  evaluateCommit: (
    transaction: Transaction<DB>,
    job: EvaluateCommitJob,
    options: { priority: number },
  ) => Promise<boolean>
}

export interface JobQueue {
  /** Connects, and makes the queues that are missing. */
  start: () => Promise<void>
  /** Waits a moment for running jobs; those that still run are given to others. */
  stop: () => Promise<void>
  requests: JobRequests
  /** Lets another do at once a job that runs here, if it still is ours. It counts as a try all the same. */
  giveBack: (job: JobWithMetadata<unknown>) => Promise<void>
  /** The queue itself, for who does the jobs. */
  boss: PgBoss
}

/** Without a sign of life from its worker for so long a job is given to another. */
const HEARTBEAT_SECS = 15
/** Long enough for any flake: a worker that lives says so, and limits the time of each evaluation itself. */
const EXPIRE_SECS = 24 * 3600

/** The queue in PostgreSQL, on two connections of its own and, where that is one server, one that is told of new jobs. */
export function createJobQueue(options: { connection: ConnectionOptions; log: Logger }): JobQueue {
  const { log } = options
  const settings = clientConfig(options.connection, 'crystal-forge jobs')
  const { host = '', port = 0, password, ssl } = settings
  const followingClient = clientClass(options.connection)
  const pool = {
    host,
    port,
    user: options.connection.user,
    database: options.connection.name,
    ...(typeof password === 'string' && { password }),
    ssl,
    application_name: 'crystal-forge jobs',
    max: 2,
    // goes on to the pool of pg as it is
    Client: followingClient,
  }
  const boss = new PgBoss({
    ...pool,
    // The connection that listens is made without our client, to one host. Polls, every 2 seconds, find the jobs too.
    useListenNotify: followingClient === Client,
    cronMonitorIntervalSeconds: 30,
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    registerInstance: false,
  })
  // the next poll tries again; the failure of a job itself is logged where it runs
  boss.on('error', (err) => log.warn({ err }, 'the job queue failed for now'))

  return {
    boss,
    async start() {
      await boss.start()
      await createQueues(boss)
    },
    stop: () => boss.stop({ graceful: true, timeout: 5000 }),
    giveBack: async (job) => {
      await boss.cancel(job.name, job)
      try {
        await boss.resume(job.name, job.id)
      } catch (error) {
        // one that was asked for meanwhile waits already, and is enough
        if (sqlState(error) !== UNIQUE_VIOLATION) throw error
      }
    },
    requests: {
      syncFlake: async (flakeId, transaction) => {
        await boss.send(
          SYNC_FLAKE,
          { flakeId },
          { singletonKey: String(flakeId), ...(transaction && { db: within(transaction) }) },
        )
      },
      evaluateCommit: async (transaction, job, { priority }) => {
        const id = await boss.send(EVALUATE_COMMIT, job, {
          singletonKey: String(job.commitId),
          priority,
          db: within(transaction),
        })
        return id !== null
      },
    },
  }
}

/** A job waits for an evaluator as long as it takes: ten years, against two weeks of pg-boss. */
const RETENTION_SECS = 10 * 365 * 24 * 3600

async function createQueues(boss: PgBoss): Promise<void> {
  const lease = {
    heartbeatSeconds: HEARTBEAT_SECS,
    expireInSeconds: EXPIRE_SECS,
    retentionSeconds: RETENTION_SECS,
    notify: true,
  }
  const retry = { retryDelay: 5, retryBackoff: true, retryDelayMax: 600 }
  await boss.createQueue(LOST_EVALUATION, { notify: true, retentionSeconds: RETENTION_SECS })
  await boss.createQueue(SYNC_FLAKE, { ...lease, ...retry, policy: 'stately', retryLimit: 3 })
  await boss.createQueue(EVALUATE_COMMIT, {
    ...lease,
    ...retry,
    policy: 'exclusive',
    retryLimit: 5,
    deadLetter: LOST_EVALUATION,
  })
}

/** A queue's statements, in a transaction of ours. */
function within(transaction: Transaction<DB>) {
  return { executeSql: (text: string, values?: unknown[]) => runIn(transaction, text, values) }
}

async function runIn(transaction: Transaction<DB>, text: string, values: readonly unknown[] = []) {
  const { rows } = await transaction.executeQuery<Record<string, unknown>>(
    CompiledQuery.raw(text, [...values]),
  )
  return { rows }
}
