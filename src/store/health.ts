import { type Kysely, sql } from 'kysely'
import { type Instance, listInstances } from './instances.ts'
import { type JobRunRow, listJobRuns } from './job-runs.ts'
import { type QueueDepth, readQueueDepths } from './queue-depths.ts'
import type { DB } from './schema.generated.ts'

/** What the health of our own parts is judged by. */
export interface HealthFacts {
  now: Date
  database: { latencyMs: number; version: string; sizeBytes: number; since: Date }
  instances: Instance[]
  /** Flakes that are followed: without one no evaluator is needed. */
  flakes: number
  jobs: JobRunRow[]
  queues: QueueDepth[]
  webhooks: { last: Date | null; accepted: number; unknown: number; unknownSince: Date | null }
}

export async function readHealth(db: Kysely<DB>): Promise<HealthFacts> {
  const start = performance.now()
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db)
  const latencyMs = performance.now() - start
  const { rows: found } = await sql<Database>`
    select split_part(current_setting('server_version'), ' ', 1) as version, pg_postmaster_start_time() as since,
      pg_database_size(current_database()) as size,
      (select count(*) from flakes where archived_at is null) as flakes`.execute(db)
  const { version = '', since = new Date(0), size = 0, flakes = 0 } = found[0] ?? {}
  return {
    now: rows[0]?.now ?? new Date(),
    database: { latencyMs, version, sizeBytes: size, since },
    instances: await listInstances(db),
    flakes,
    jobs: await listJobRuns(db),
    queues: await readQueueDepths(db),
    webhooks: await readWebhooks(db),
  }
}

interface Database {
  version: string
  since: Date
  size: number
  flakes: number
}

/** Of the last day. */
async function readWebhooks(db: Kysely<DB>): Promise<HealthFacts['webhooks']> {
  const { rows } = await sql<{
    last: Date | null
    accepted: number
    unknown: number
    unknown_since: Date | null
  }>`
    select max(received_at) as last, count(*) filter (where outcome = 'accepted') as accepted,
      count(*) filter (where reason = 'unknown_repository') as unknown,
      min(received_at) filter (where reason = 'unknown_repository') as unknown_since
    from webhook_deliveries where received_at >= now() - interval '1 day'`.execute(db)
  const { last = null, accepted = 0, unknown = 0, unknown_since: unknownSince = null } = rows[0] ?? {}
  return { last, accepted, unknown, unknownSince }
}
