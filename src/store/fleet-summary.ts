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
const isActive = (systemId: string) => sql`not exists (
  select from systems where systems.id = ${sql.ref(systemId)} and systems.archived_at is not null)`

/** One statement, so that all counts are of one moment. */
export async function fleetSummary(db: Kysely<DB>, limits: LivenessLimits): Promise<FleetSummary> {
  const { rows } = await sql<Count>`
    select 'liveness' as of, ${livenessSql(limits)} as name, null as standing, count(*) as count from contacts
    where ${isActive('contacts.system_id')} group by 2
    union all
    select 'drift', state, standing, count(*) from drift group by 2, 3
    union all
    select 'flag', flag, null, count(*) from flags where ${isActive('flags.system_id')} group by 2
    union all
    select 'pending_key', null, null, count(*) from keys where status = 'pending'`.execute(db)
  const counts = (of: Count['of'], column: 'name' | 'standing' = 'name') =>
    new Map(
      Map.groupBy(
        rows.filter((row) => row.of === of),
        (row) => row[column],
      )
        .entries()
        .map(([name, group]) => [name, group.reduce((sum, { count }) => sum + count, 0)]),
    )
  const liveness = countsOf(LIVENESS, counts('liveness'))
  return {
    systems: Object.values(liveness).reduce((sum, count) => sum + count, 0),
    liveness,
    drift: countsOf(DRIFT_STATES, counts('drift')),
    standing: countsOf(DRIFT_STATES, counts('drift', 'standing')),
    flags: countsOf(FLAGS, counts('flag')),
    pending_keys: counts('pending_key').get(null) ?? 0,
  }
}

interface Count {
  of: 'liveness' | 'drift' | 'flag' | 'pending_key'
  name: string | null
  standing: string | null
  count: number
}

function countsOf<Name extends string>(names: readonly Name[], counts: Map<string | null, number>) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names it was given
  return Object.fromEntries(names.map((name) => [name, counts.get(name) ?? 0])) as Record<Name, number>
}
