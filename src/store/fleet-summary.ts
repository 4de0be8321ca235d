import { type Kysely, sql } from 'kysely'
import { type Flag, FLAGS } from '../fleet/flags.ts'
import { type Liveness, LIVENESS, type LivenessLimits } from '../fleet/liveness.ts'
import type { DB } from './schema.generated.ts'
import { livenessSql } from './system-list.ts'

/** Counts over all systems that are not archived. */
export interface FleetSummary {
  systems: number
  liveness: Record<Liveness, number>
  flags: Record<Flag, number>
  /** Keys that wait for an operator's approval. */
  pending_keys: number
}

export async function fleetSummary(db: Kysely<DB>, limits: LivenessLimits): Promise<FleetSummary> {
  const byLiveness = await db
    .selectFrom('systems')
    .innerJoin('contacts', 'contacts.system_id', 'systems.id')
    .select([livenessSql(limits).as('liveness'), sql<number>`count(*)`.as('count')])
    .where('archived_at', 'is', null)
    .groupBy(sql`1`)
    .execute()
  const byFlag = await db
    .selectFrom('flags')
    .innerJoin('systems', 'systems.id', 'flags.system_id')
    .select([sql<Flag>`flags.flag`.as('flag'), sql<number>`count(*)`.as('count')])
    .where('archived_at', 'is', null)
    .groupBy('flags.flag')
    .execute()
  const { pending } = await db
    .selectFrom('keys')
    .select(sql<number>`count(*)`.as('pending'))
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow()
  return {
    systems: byLiveness.reduce((sum, row) => sum + row.count, 0),
    liveness: countsOf(LIVENESS, new Map(byLiveness.map((row) => [row.liveness, row.count]))),
    flags: countsOf(FLAGS, new Map(byFlag.map((row) => [row.flag, row.count]))),
    pending_keys: pending,
  }
}

function countsOf<Name extends string>(names: readonly Name[], counts: Map<Name, number>) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names it was given
  return Object.fromEntries(names.map((name) => [name, counts.get(name) ?? 0])) as Record<Name, number>
}
