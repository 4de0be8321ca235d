import { type Kysely, sql } from 'kysely'
import type { CommitStatus } from './commit-list.ts'
import type { DB } from './schema.generated.ts'

/** What a commit does to a configuration, against its first parent: it evaluates to another path, or begins or ceases to. */
export const CHANGES = ['changed', 'added', 'removed', 'broken', 'repaired'] as const

export interface ConfigurationChange {
  configuration: string
  change: (typeof CHANGES)[number]
  /** Output paths; null where it does not evaluate, or is not there. */
  before: string | null
  after: string | null
  /** How many systems have it, and the names of some. */
  systems: number
  hostnames: string[]
}

export interface CommitChanges {
  /** What a commit changes is known once both it and its first parent are evaluated. */
  known: boolean
  changes: ConfigurationChange[]
  /** Of all pages, of each kind. */
  counts: Record<(typeof CHANGES)[number], number>
  /** Systems that have to run what one of the changes gives. */
  systems: number
}

export interface CommitBefore {
  id: number
  sha: string
  subject: string | null
  status: CommitStatus
}

const MAX_NAMES = 10

/** The first parent of a first-parent commit of the branch, where it is known; null for any other. */
export async function findPrevious(db: Kysely<DB>, commitId: number): Promise<CommitBefore | null> {
  const { rows } = await sql<CommitBefore>`
    select before.id, before.sha, before.subject, before.status
    from commits c
    join commits before on before.flake_id = c.flake_id and before.position = c.position - 1 and before.mainline
    where c.id = ${commitId} and c.mainline`.execute(db)
  return rows[0] ?? null
}

/** What a commit changes of its flake's configurations against the one before, in the order of their names. */
export async function listChanges(
  db: Kysely<DB>,
  pair: { commitId: number; previousId: number },
  page: { after: string | null; limit: number },
): Promise<CommitChanges> {
  const { rows } = await sql<CommitChanges>`
    with outcomes as (
      select count(*) filter (where outcome = 'evaluated') = 2 as known
      from commits where id in (${pair.commitId}, ${pair.previousId})
    ),
    differing as materialized (
      select configuration, b.out_path as before, a.out_path as after,
        case when b.configuration is null then 'added' when a.configuration is null then 'removed'
             when b.out_path is null then 'repaired' when a.out_path is null then 'broken' else 'changed' end as change
      from (select configuration, out_path from evaluations where commit_id = ${pair.previousId}) b
      full join (select configuration, out_path from evaluations where commit_id = ${pair.commitId}) a using (configuration)
      where (select known from outcomes)
        and (a.out_path is distinct from b.out_path or a.configuration is null or b.configuration is null)
    ),
    concerned as materialized (
      select coalesce(s.configuration, s.hostname) as configuration, count(*) as systems,
        (array_agg(s.hostname order by s.hostname))[1:${sql.lit(MAX_NAMES)}] as hostnames
      from systems s
      where s.flake_id = (select flake_id from commits where id = ${pair.commitId})
        and s.archived_at is null and s.pinned_path is null
        and coalesce(s.configuration, s.hostname) in (select configuration from differing)
      group by 1
    ),
    page as (
      select d.*, coalesce(c.systems, 0) as systems, coalesce(c.hostnames, '{}') as hostnames
      from differing d left join concerned c using (configuration)
      where ${page.after}::text is null or configuration > ${page.after}::text
      order by configuration limit ${page.limit}
    )
    select (select known from outcomes) as known,
      coalesce((select jsonb_agg(to_jsonb(page) order by configuration) from page), '[]') as changes,
      (select jsonb_build_object(${sql.join(
        CHANGES.map((name) => sql`${sql.lit(name)}, count(*) filter (where change = ${sql.lit(name)})`),
      )}) from differing) as counts,
      (select coalesce(sum(systems), 0)::bigint from concerned) as systems`.execute(db)
  return rows[0] ?? NOTHING_KNOWN
}

export const NOTHING_KNOWN: CommitChanges = {
  known: false,
  changes: [],
  counts: { changed: 0, added: 0, removed: 0, broken: 0, repaired: 0 },
  systems: 0,
}
