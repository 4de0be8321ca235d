import { type Kysely, sql } from 'kysely'
import type { EventKind } from './events.ts'
import type { DB } from './schema.generated.ts'

/** All but `report`: a report that changes anything has an event of what it changes. */
export const ACTIVITY_KINDS = [
  'drift',
  'flag_raised',
  'flag_ended',
  'head',
  'evaluation',
] as const satisfies readonly EventKind[]

/** Something that happened to systems or to a flake. */
export interface Activity {
  /** Of its newest event. */
  id: number
  at: Date
  kind: (typeof ACTIVITY_KINDS)[number]
  /** How many systems it happened to, and the names of some; 0 where it is of a flake. */
  systems: number
  hostnames: string[]
  flake: { id: number; url: string; branch: string | null } | null
  commit: { sha: string; subject: string | null } | null
  /** Of several systems: what is the same for all. */
  details: Record<string, unknown>
}

interface ActivityRow extends Omit<Activity, 'systems' | 'hostnames'> {
  transaction: string
  hostname: string | null
}

/** Events that are read for a page: what a push does to a thousand systems is one entry of it. */
const WINDOW = 1000
const MAX_NAMES = 5

/**
 * What happened, newest first, from the event after `after` (an id), at most `limit` entries; `next` is where the following
 * page begins. What one change did to several systems is one entry, or one a page where it is more than a page reads.
 */
export async function listActivity(
  db: Kysely<DB>,
  page: { after: number | null; limit: number },
): Promise<{ entries: Activity[]; next: number | null }> {
  const { rows } = await sql<ActivityRow>`
    select e.id, e.transaction::text as transaction, e.at, e.kind, s.hostname, e.details,
      case when f.id is not null then
        jsonb_build_object('id', f.id, 'url', f.url, 'branch', coalesce(f.head_branch, f.branch)) end as flake,
      case when c.id is not null then jsonb_build_object('sha', c.sha, 'subject', c.subject) end as commit
    from (
      select * from events where kind <> 'report' and id < ${page.after ?? Number.MAX_SAFE_INTEGER}
      order by id desc limit ${WINDOW}
    ) e
    left join systems s on s.id = e.system_id
    left join flakes f on f.id = e.flake_id
    left join commits c on c.id = e.commit_id
    order by e.id desc`.execute(db)
  const { entries, read } = gather(rows, page.limit)
  const isEnd = read === rows.length && rows.length < WINDOW
  return { entries, next: isEnd ? null : (rows[read - 1]?.id ?? null) }
}

/** Puts the rows of one change together, until one more entry would be one too many; `read` is how many rows that were. */
function gather(rows: readonly ActivityRow[], limit: number): { entries: Activity[]; read: number } {
  const entries = new Map<string, Activity>()
  for (const [index, { transaction, hostname, ...row }] of rows.entries()) {
    const common = commonDetails(row)
    const key = common === null ? String(row.id) : JSON.stringify([transaction, row.kind, common])
    const entry = entries.get(key)
    if (entry !== undefined) {
      entry.systems += 1
      entry.details = common ?? entry.details
      if (hostname !== null && entry.hostnames.length < MAX_NAMES) entry.hostnames.push(hostname)
    } else if (entries.size === limit) return { entries: [...entries.values()], read: index }
    else {
      const hostnames = hostname === null ? [] : [hostname]
      entries.set(key, { ...row, systems: hostnames.length, hostnames })
    }
  }
  return { entries: [...entries.values()], read: rows.length }
}

/** What makes two events of systems the same change; null where each is its own. */
function commonDetails({
  kind,
  details,
}: Pick<Activity, 'kind' | 'details'>): Record<string, unknown> | null {
  if (kind === 'drift') return { from: details['from'], to: details['to'] }
  return kind === 'flag_raised' || kind === 'flag_ended' ? { flag: details['flag'] } : null
}
