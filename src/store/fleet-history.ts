import { type Kysely, sql } from 'kysely'
import type { LivenessLimits } from '../fleet/liveness.ts'
import { countFleet, countLiveness, type FleetSummary } from './fleet-summary.ts'
import type { DB } from './schema.generated.ts'

/** Minutes between two rows. */
export const HISTORY_STEP = 15

/** How far a trend reaches back, and how far its points are apart: at most 300, each a multiple of `HISTORY_STEP`. */
export const TREND_PERIODS = {
  '24h': { hours: 24, stepMinutes: 15 },
  '7d': { hours: 7 * 24, stepMinutes: 45 },
  '30d': { hours: 30 * 24, stepMinutes: 150 },
  '90d': { hours: 90 * 24, stepMinutes: 480 },
  '400d': { hours: 400 * 24, stepMinutes: 2880 },
} as const
export type TrendPeriod = keyof typeof TREND_PERIODS

/** The counts of a time; null where nobody counted. */
export interface TrendPoint {
  at: Date
  counts: FleetSummary | null
}

/** Keeps the counts of now for this quarter of an hour, unless they are kept: any number of servers make one row. */
export async function recordFleet(db: Kysely<DB>, limits: LivenessLimits): Promise<void> {
  const counts: FleetSummary = { ...(await countFleet(db)), liveness: await countLiveness(db, limits) }
  await sql`
    insert into fleet_history (at, counts)
    values (${startOf(sql`now()`, HISTORY_STEP)}, ${JSON.stringify(counts)}::jsonb)
    on conflict do nothing`.execute(db)
}

/** The points of a period up to now, oldest first: each has the last counts that were kept before the next one's time. */
export async function readTrend(db: Kysely<DB>, period: TrendPeriod): Promise<TrendPoint[]> {
  const { hours, stepMinutes } = TREND_PERIODS[period]
  const step = sql`make_interval(mins => ${stepMinutes})`
  const { rows } = await sql<TrendPoint>`
    select p.at, h.counts
    from generate_series(${startOf(sql`now() - make_interval(hours => ${hours})`, stepMinutes)} + ${step},
      now(), ${step}) as p (at)
    left join lateral (
      select counts from fleet_history f where f.at >= p.at and f.at < p.at + ${step} order by f.at desc limit 1
    ) h on true
    order by p.at`.execute(db)
  return rows
}

const startOf = (time: ReturnType<typeof sql>, minutes: number) =>
  sql`date_bin(make_interval(mins => ${minutes}), ${time}, timestamptz 'epoch')`

/** Forgets counts that are older. */
export async function expireHistory(db: Kysely<DB>, keepMs: number): Promise<void> {
  await sql`delete from fleet_history where at < now() - make_interval(secs => ${keepMs / 1000})`.execute(db)
}
