import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export type EventKind = 'drift' | 'flag_raised' | 'flag_ended' | 'report' | 'head' | 'evaluation'

/** A place in the order of events: those of a transaction come together, whenever their ids became visible. */
export interface EventPosition {
  transaction: bigint
  id: number
}

export interface EventRow extends EventPosition {
  at: Date
  kind: EventKind
  hostname: string | null
  flake_id: number | null
  /** Its sha. */
  commit: string | null
  details: unknown
}

/** Negative, 0 or positive, as `a` comes before, is, or comes after `b`. */
export function comparePositions(a: EventPosition, b: EventPosition): number {
  if (a.transaction !== b.transaction) return a.transaction < b.transaction ? -1 : 1
  return a.id - b.id
}

/**
 * The place before everything that is not visible to all yet: whoever reads from here on misses nothing that is
 * committed later, and may get what was committed a moment ago.
 */
export async function presentPosition(db: Kysely<DB>): Promise<EventPosition> {
  const { rows } = await sql<{ xmin: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`.execute(db)
  return { transaction: BigInt(rows[0]?.xmin ?? 0), id: 0 }
}

/**
 * The events after a place, in order, at most `limit`. Those of transactions that began after one that still runs wait
 * for it: else what that one commits would stand before what was read already.
 */
export async function readEvents(db: Kysely<DB>, after: EventPosition, limit: number): Promise<EventRow[]> {
  const { rows } = await sql<Omit<EventRow, 'transaction'> & { transaction: string }>`
    select e.transaction::text as transaction, e.id, e.at, e.kind, s.hostname, e.flake_id, c.sha as commit, e.details
    from events e
    left join systems s on s.id = e.system_id
    left join commits c on c.id = e.commit_id
    where (e.transaction, e.id) > (${String(after.transaction)}::text::xid8, ${after.id}::bigint)
      and e.transaction < pg_snapshot_xmin(pg_current_snapshot())
    order by e.transaction, e.id
    limit ${limit}`.execute(db)
  return rows.map((row) => ({ ...row, transaction: BigInt(row.transaction) }))
}
