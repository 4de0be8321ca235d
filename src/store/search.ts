import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

export interface Found {
  systems: { hostname: string; environment: string | null }[]
  flakes: { id: number; url: string; branch: string | null }[]
  commits: { sha: string; flake_id: number; subject: string | null }[]
}

/** Of each. */
const MAX_FOUND = 8
/** Commits whose subjects are looked through: an index on parts of texts is an extension that not every PostgreSQL has. */
const RECENT_COMMITS = 5000

/**
 * Systems by part of their names, those that begin with the text first, flakes by part of their addresses, and commits by
 * the first digits of their revision, or of the newest by part of their subjects; nothing that is archived.
 */
export async function search(db: Kysely<DB>, text: string): Promise<Found> {
  // lowered where the other side is: not every database has a case for letters beyond ASCII, as JavaScript does
  const part = sql`lower(${text}::text)`
  const digits = text.toLowerCase()
  const { rows: systems } = await sql<Found['systems'][number]>`
    select hostname, environment from systems
    where position(${part} in lower(hostname)) > 0 and archived_at is null
    order by position(${part} in lower(hostname)) > 1, lower(hostname) limit ${MAX_FOUND}`.execute(db)
  const { rows: flakes } = await sql<Found['flakes'][number]>`
    select id, url, coalesce(head_branch, branch) as branch from flakes
    where position(${part} in lower(url)) > 0 and archived_at is null order by id limit ${MAX_FOUND}`.execute(
    db,
  )
  const { rows: commits } = await sql<Found['commits'][number]>`
    select found.sha, found.flake_id, found.subject
    from (
      select id, sha, flake_id, subject from commits where ${/^[0-9a-f]{4,64}$/.test(digits)} and sha like ${`${digits}%`}
      union
      select id, sha, flake_id, subject
      from (select * from commits order by id desc limit ${RECENT_COMMITS}) recent
      where position(${part} in lower(subject)) > 0
    ) found
    join flakes on flakes.id = found.flake_id and flakes.archived_at is null
    order by found.id desc limit ${MAX_FOUND}`.execute(db)
  return { systems, flakes, commits }
}
