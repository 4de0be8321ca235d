import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'

/** A commit that a system does not run yet. */
export interface DesiredCommit {
  sha: string
  subject: string | null
  author: string | null
  committed_at: Date | null
  arrived_at: Date
  mainline: boolean
  /** Whether it gives the system another path than the one before; null: it has no result for the system. */
  changes: boolean | null
}

export interface DesiredCommits {
  /** Newest first. */
  commits: DesiredCommit[]
  /** How many there are in all; null: what the system runs is of no commit of its branch, or it has no branch. */
  total: number | null
  /** How many of all change the system. */
  changing: number | null
}

/** The newest `limit` commits between what a system runs and what it should run, with the latter and without the former. */
export async function listDesiredCommits(
  db: Kysely<DB>,
  systemId: number,
  limit: number,
): Promise<DesiredCommits> {
  const { rows } = await sql<Row>`
    with ends as (
      select coalesce(s.configuration, s.hostname) as configuration, running.id as running_id, running.flake_id,
        running.position as first_position, running.mainline as first_mainline,
        desired.id as desired_id, desired.position as last_position, desired.mainline as last_mainline
      from drift d
      join systems s on s.id = d.system_id
      join commits running on running.id = d.running_commit_id and running.position is not null
      join commits desired on desired.id = d.desired_commit_id and desired.position is not null
        and desired.flake_id = running.flake_id
      where d.system_id = ${systemId} and d.standing in ('in_sync', 'behind')
    ),
    results as (
      select c.id, c.position, c.mainline, r.out_path,
        lag(r.out_path) over (order by c.position, c.mainline, c.id) as path_before
      from ends e
      join commits c on c.flake_id = e.flake_id
        and (c.position, c.mainline, c.id) >= (e.first_position, e.first_mainline, e.running_id)
        and (c.position, c.mainline, c.id) <= (e.last_position, e.last_mainline, e.desired_id)
      join evaluations r on r.commit_id = c.id and r.configuration = e.configuration and r.status = 'succeeded'
    ),
    between_ends as materialized (
      select c.id, c.sha, c.subject, c.author, c.committed_at, c.arrived_at, c.position, c.mainline,
        r.out_path <> r.path_before as changes
      from ends e
      join commits c on c.flake_id = e.flake_id
        and (c.position, c.mainline, c.id) > (e.first_position, e.first_mainline, e.running_id)
        and (c.position, c.mainline, c.id) <= (e.last_position, e.last_mainline, e.desired_id)
      left join results r on r.id = c.id
    )
    select coalesce((
        select jsonb_agg(to_jsonb(newest) - 'id' - 'position' order by position desc, mainline desc, id desc)
        from (select * from between_ends order by position desc, mainline desc, id desc limit ${limit}) newest
      ), '[]') as commits,
      case when exists (select from ends) then (select count(*) from between_ends) end as total,
      case when exists (select from ends) then (select count(*) from between_ends where changes) end as changing`.execute(
    db,
  )
  const { commits = [], total = null, changing = null } = rows[0] ?? {}
  return { commits: commits.map(withTimes), total, changing }
}

/** In a document times are texts. */
type Row = Omit<DesiredCommits, 'commits'> & { commits: WithTexts[] }
type WithTexts = Omit<DesiredCommit, 'committed_at' | 'arrived_at'> & {
  committed_at: string | null
  arrived_at: string
}

function withTimes({ committed_at: committed, arrived_at: arrived, ...rest }: WithTexts): DesiredCommit {
  const committedAt = committed === null ? null : new Date(committed)
  return { ...rest, committed_at: committedAt, arrived_at: new Date(arrived) }
}
