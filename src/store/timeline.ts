import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export const TIMELINE_KINDS = ['drift', 'flag_raised', 'flag_ended', 'report', 'online'] as const

export interface TimelineEntry {
  /** Of `online`: when the period began. */
  at: Date
  kind: (typeof TIMELINE_KINDS)[number]
  /** Of `online`: its boot, and when it ended; null while it lasts. */
  details: unknown
  cursor: string
}

/** What happened to a system, newest first, from the entry after the one that gave the cursor `after`. */
export async function listTimeline(
  db: Kysely<DB>,
  systemId: number,
  page: { after: TimelineCursor | null; limit: number },
): Promise<TimelineEntry[]> {
  const { micros, id } = page.after ?? { micros: '9000000000000000', id: '0' }
  const before = sql`(timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::bigint)`
  const { rows } = await sql<TimelineEntry>`
    select at, kind, details, (extract(epoch from at) * 1000000)::bigint || '.' || id as cursor
    from (
      (select at, kind, details, id from events
       where system_id = ${systemId} and (at, id) < ${before}
       order by at desc, id desc limit ${page.limit})
      union all
      -- an id below those of events: there is one period of a beginning
      (select started_at, 'online', jsonb_build_object('boot_id', boot_id, 'ended_at', ended_at), 0
       from online_periods where system_id = ${systemId} and (started_at, 0) < ${before}
       order by started_at desc limit ${page.limit})
      union all
      select online_since, 'online', jsonb_build_object('boot_id', boot_id, 'ended_at', null), 0
      from contacts where system_id = ${systemId} and online_since is not null and (online_since, 0) < ${before}
    ) merged
    order by at desc, id desc
    limit ${page.limit}`.execute(db)
  return rows
}

export interface TimelineCursor {
  /** Microseconds since the epoch. */
  micros: string
  id: string
}

/** The cursor of an entry's text, or null. */
export function parseTimelineCursor(text: string): TimelineCursor | null {
  const [, micros, id] = /^(\d{1,16})\.(\d{1,15})$/.exec(text) ?? []
  return micros === undefined || id === undefined ? null : { micros, id }
}
