import { type Kysely, sql } from 'kysely'
import { DRIFT_STATES, type DriftState } from '../fleet/drift.ts'
import { type Flag, FLAGS } from '../fleet/flags.ts'
import { type Liveness, LIVENESS, type LivenessLimits } from '../fleet/liveness.ts'
import type { DB } from './schema.generated.ts'
import { livenessSql } from './system-list.ts'

/** Counts over all systems that are not archived. */
export interface FleetSummary {
  systems: number
  liveness: Record<Liveness, number>
  /** By state. */
  drift: Record<DriftState, number>
  /** By the state against the newest good commit: a push does not change these. */
  standing: Record<DriftState, number>
  flags: Record<Flag, number>
  /** Keys that wait for an operator's approval. */
  pending_keys: number
}

/** Archived systems are few: to leave them out costs less than to join those that are not. */
export const isActive = (systemId: string) => sql`not exists (
  select from systems where systems.id = ${sql.ref(systemId)} and systems.archived_at is not null)`

/** Counts by liveness, of all systems that are not archived: the one count that takes a look at each of them. */
export async function countLiveness(
  db: Kysely<DB>,
  limits: LivenessLimits,
): Promise<FleetSummary['liveness']> {
  const { rows } = await sql<{ name: Liveness; count: number }>`
    select ${livenessSql(limits)} as name, count(*) as count from contacts
    where ${isActive('contacts.system_id')} group by 1`.execute(db)
  return countsOf(LIVENESS, new Map(rows.map(({ name, count }) => [name, count])))
}

/** All other counts, of one moment. */
export async function countFleet(db: Kysely<DB>): Promise<Omit<FleetSummary, 'liveness'>> {
  const { rows } = await sql<Count>`
    select 'drift' as of, state as name, standing, sum(amount)::bigint as count from drift_tally group by 2, 3
    union all
    select 'flag', flag, null, count(*) from flags where ${isActive('flags.system_id')} group by 2
    union all
    select 'pending_key', null, null, count(*) from keys where status = 'pending'`.execute(db)
  const counts = (of: Count['of'], column: 'name' | 'standing' = 'name') => {
    const sums = new Map<string | null, number>()
    for (const row of rows) if (row.of === of) sums.set(row[column], (sums.get(row[column]) ?? 0) + row.count)
    return sums
  }
  return {
    systems: counts('drift')
      .values()
      .reduce((sum, count) => sum + count, 0),
    drift: countsOf(DRIFT_STATES, counts('drift')),
    standing: countsOf(DRIFT_STATES, counts('drift', 'standing')),
    flags: countsOf(FLAGS, counts('flag')),
    pending_keys: counts('pending_key').get(null) ?? 0,
  }
}

interface Count {
  of: 'drift' | 'flag' | 'pending_key'
  name: string | null
  standing: string | null
  count: number
}

function countsOf<Name extends string>(names: readonly Name[], counts: Map<string | null, number>) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names it was given
  return Object.fromEntries(names.map((name) => [name, counts.get(name) ?? 0])) as Record<Name, number>
}
