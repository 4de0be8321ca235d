import { sql, type Transaction } from 'kysely'
import type { BranchFacts, DriftFacts, HeadOutcome } from '../fleet/drift.ts'
import { readUnsearched, type UnsearchedByFlake } from './drift-search.ts'
import { prepared } from './prepared.ts'
import type { DB } from './schema.generated.ts'

interface FactsRow {
  system_id: number
  created_at: Date
  assigned_at: Date
  pinned_path: string | null
  flake_id: number | null
  configuration: string
  has_reported: boolean
  current_system: string | null
  running_since: Date | null
  head_id: number | null
  head_position: number | null
  head_arrived_at: Date | null
  head_outcome: HeadOutcome
  good_id: number | null
  good_position: number | null
  good_arrived_at: Date | null
  good_path: string | null
  failed_since: Date | null
  match_id: number | null
  match_position: number | null
  match_arrived_at: Date | null
  match_specialisation: string | null
  match_run_arrived_at: Date | null
  match_until: { path: string; arrived_at: string }[] | null
  match_unknown: number | null
  elsewhere_state: 'off_branch' | 'wrong_configuration' | null
  elsewhere_commit_id: number | null
  elsewhere_specialisation: string | null
  elsewhere_configuration: string | null
  elsewhere_left_at: Date | null
}

/**
 * What `judgeDrift` looks at, of these systems. One statement; each system costs some probes of an index, and a probe for
 * each commit that it is behind. Commits are ordered by position, and those of one position by who brought whom in.
 */
export async function readDriftFacts(
  transaction: Transaction<DB>,
  systemIds: readonly number[],
): Promise<(DriftFacts & { systemId: number })[]> {
  await planAsWritten(transaction)
  const { rows } = await factsOf(systemIds).execute(transaction)
  const unsearched = await readUnsearched(transaction, flakesToSearch(rows))
  return rows.map((row) => toFacts(row, unsearched))
}

/**
 * For the rest of the transaction: joins in the order in which they are written, which is one of probes however stale the
 * statistics are, and is planned in a fifth of the time; and a prepared statement is planned once for all values, as to plan
 * this one takes 2 to 4 ms, four times what it takes to read the facts of one system.
 */
export async function planAsWritten(transaction: Transaction<DB>): Promise<void> {
  await sql`select set_config('join_collapse_limit', '1', true), set_config('plan_cache_mode', 'force_generic_plan', true)`.execute(
    transaction,
  )
}

/** The result `e` of a commit `c`; the limit makes it a probe of the index, never a scan. */
const RESULT = sql`lateral (
  select id, status, out_path from evaluations
  where commit_id = c.id and configuration = w.configuration limit 1) e`

/** The statement of `readDriftFacts`, which runs after `planAsWritten`. */
export const factsOf = (systemIds: readonly number[]) => sql<FactsRow>`${prepared}
    with wanted as (
      select d.system_id, s.created_at, s.assigned_at, s.pinned_path, s.flake_id, k.repository, k.directory,
        coalesce(s.configuration, s.hostname) as configuration,
        f.system_id is not null as has_reported, f.current_system, f.running_since,
        -- in sync with this already: since when stays
        case when d.standing = 'in_sync' and d.running_path = f.current_system then d.standing_since end as in_sync_since,
        k.head_commit_id
      from drift d
      join systems s on s.id = d.system_id
      left join facts f on f.system_id = s.id
      left join flakes k on k.id = s.flake_id
      where d.system_id = any(${systemIds}::bigint[])
    )
    select w.system_id, w.created_at, w.assigned_at, w.pinned_path, w.flake_id, w.configuration, w.has_reported, w.current_system,
      w.running_since,
      h.id as head_id, h.position as head_position, h.arrived_at as head_arrived_at,
      case when he.status is not null then he.status
           when h.outcome = 'failed' then 'failed'
           when h.outcome = 'evaluated' then 'not_in_flake'
           else 'pending' end as head_outcome,
      good.id as good_id, good.position as good_position, good.arrived_at as good_arrived_at, good.out_path as good_path,
      failed.since as failed_since,
      case when same.specialisation is not null then good.id else older.id end as match_id,
      case when same.specialisation is not null then good.position else older.position end as match_position,
      case when same.specialisation is not null then good.arrived_at else older.arrived_at end as match_arrived_at,
      nullif(coalesce(same.specialisation, older.specialisation), '') as match_specialisation,
      coalesce(w.in_sync_since, run.arrived_at) as match_run_arrived_at,
      path.until as match_until, path.unknown as match_unknown,
      elsewhere.state as elsewhere_state, elsewhere.commit_id as elsewhere_commit_id,
      nullif(elsewhere.specialisation, '') as elsewhere_specialisation,
      elsewhere.configuration as elsewhere_configuration, elsewhere.left_at as elsewhere_left_at
    from wanted w
    left join commits h on h.id = w.head_commit_id
    left join lateral (
      select status from evaluations where commit_id = h.id and configuration = w.configuration limit 1
    ) he on true
    left join lateral (
      select c.id, c.position, c.mainline, c.arrived_at, e.out_path, e.id as evaluation_id
      from commits c cross join ${RESULT}
      where c.flake_id = w.flake_id and c.position is not null and e.status = 'succeeded'
      order by c.position desc, c.mainline desc, c.id desc limit 1
    ) good on true
    left join lateral (
      select min(c.arrived_at) as since
      from commits c left join ${RESULT} on true
      where good.id is distinct from h.id and c.flake_id = w.flake_id and c.position is not null
        and c.position >= coalesce(good.position, 0)
        and (good.id is null or (c.position, c.mainline, c.id) > (good.position, good.mainline, good.id))
        and (e.status = 'failed' or (e.id is null and c.outcome is not null))
    ) failed on true
    left join lateral (
      select p.specialisation from evaluated_paths p
      where p.evaluation_id = good.evaluation_id and p.out_path = w.current_system
      order by p.specialisation limit 1
    ) same on true
    left join lateral (
      select c.id, c.position, c.mainline, c.arrived_at, p.specialisation
      from evaluated_paths p join evaluations e on e.id = p.evaluation_id
      cross join lateral (select * from commits where id = e.commit_id limit 1) c
      where same.specialisation is null and p.out_path = w.current_system and p.configuration = w.configuration
        and c.flake_id = w.flake_id and c.position is not null
      order by c.position desc, c.mainline desc, c.id desc, p.specialisation limit 1
    ) older on true
    left join lateral (
      -- the newest that gives something else
      select c.id, c.position, c.mainline
      from commits c cross join ${RESULT}
      where same.specialisation is not null and w.in_sync_since is null
        and c.flake_id = w.flake_id and c.position is not null and e.status = 'succeeded'
        and not exists (
          select from evaluated_paths p
          where p.evaluation_id = e.id and p.out_path = w.current_system and p.configuration = w.configuration)
      order by c.position desc, c.mainline desc, c.id desc limit 1
    ) other on true
    left join lateral (
      select min(c.arrived_at) as arrived_at
      from commits c cross join ${RESULT}
      where same.specialisation is not null and w.in_sync_since is null
        and c.flake_id = w.flake_id and c.position >= coalesce(other.position, 0) and e.status = 'succeeded'
        and (other.id is null or (c.position, c.mainline, c.id) > (other.position, other.mainline, other.id))
    ) run on true
    left join lateral (
      select
        jsonb_agg(jsonb_build_object('path', e.out_path, 'arrived_at', c.arrived_at)
                  order by c.position, c.mainline, c.id) filter (where e.status = 'succeeded') as until,
        -- the branch has a first-parent commit at each position, also where none is recorded
        good.position - older.position - older.mainline::integer
          - count(*) filter (where c.mainline and c.position < good.position and c.id <> older.id
                               and (e.id is not null or c.outcome is not null)) as unknown
      from commits c left join ${RESULT} on true
      where older.id is not null and c.flake_id = w.flake_id
        and c.position between older.position and good.position
        and (c.position, c.mainline, c.id) >= (older.position, older.mainline, older.id)
    ) path on true
    left join lateral (
      select case when e.configuration = w.configuration and k.repository = w.repository
                    and k.directory is not distinct from w.directory then 'off_branch'
                  else 'wrong_configuration' end as state,
        c.id as commit_id, p.specialisation, e.configuration,
        case when c.flake_id = w.flake_id and e.configuration = w.configuration then c.left_at end as left_at
      from evaluated_paths p
      join evaluations e on e.id = p.evaluation_id
      cross join lateral (select * from commits where id = e.commit_id limit 1) c
      join flakes k on k.id = c.flake_id
      where same.specialisation is null and older.id is null and p.out_path = w.current_system
        -- a commit that this branch has too says what it gives when this branch's is evaluated
        and not (e.configuration = w.configuration and k.repository = w.repository
          and k.directory is not distinct from w.directory
          and exists (select from commits o where o.flake_id = w.flake_id and o.sha = c.sha and o.position is not null))
      order by state, c.id desc, e.configuration, p.specialisation limit 1
    ) elsewhere on true`

/** Only a system whose path no commit explains depends on what was not searched. */
function flakesToSearch(rows: readonly FactsRow[]): number[] {
  const flakeIds = rows
    .filter((row) => row.current_system !== null && row.match_id === null && row.elsewhere_state === null)
    .map((row) => row.flake_id)
  return [...new Set(flakeIds)].filter((id) => id !== null)
}

function toFacts(row: FactsRow, unsearched: UnsearchedByFlake): DriftFacts & { systemId: number } {
  const { current_system: path, running_since: since } = row
  return {
    systemId: row.system_id,
    registeredAt: row.created_at.getTime(),
    assignedAt: row.assigned_at.getTime(),
    pinnedPath: row.pinned_path,
    hasReported: row.has_reported,
    running: path === null ? null : { path, since: (since ?? row.created_at).getTime() },
    branch: row.flake_id === null ? null : toBranch(row, unsearchedFor(row, unsearched)),
  }
}

function unsearchedFor({ flake_id, configuration }: FactsRow, byFlake: UnsearchedByFlake) {
  const commits = flake_id === null ? [] : (byFlake.get(flake_id) ?? [])
  return commits.filter(({ evaluated }) => !evaluated.has(configuration))
}

function toBranch(row: FactsRow, unsearched: BranchFacts['unsearched']): BranchFacts {
  return {
    head: commitOf(row.head_id, row.head_position, row.head_arrived_at, { outcome: row.head_outcome }),
    good: commitOf(row.good_id, row.good_position, row.good_arrived_at, { path: row.good_path ?? '' }),
    failedSince: row.failed_since?.getTime() ?? null,
    match: commitOf(row.match_id, row.match_position, row.match_arrived_at, {
      specialisation: row.match_specialisation,
      runArrivedAt: (row.match_run_arrived_at ?? row.match_arrived_at)?.getTime() ?? 0,
      until: (row.match_until ?? []).map((each) => ({
        path: each.path,
        arrivedAt: Date.parse(each.arrived_at),
      })),
      unknown: row.match_unknown ?? 0,
    }),
    elsewhere:
      row.elsewhere_state === null || row.elsewhere_commit_id === null
        ? null
        : {
            state: row.elsewhere_state,
            commitId: row.elsewhere_commit_id,
            specialisation: row.elsewhere_specialisation,
            configuration: row.elsewhere_configuration ?? '',
            leftAt: row.elsewhere_left_at?.getTime() ?? null,
          },
    unsearched,
  }
}

function commitOf<More>(id: number | null, position: number | null, arrivedAt: Date | null, more: More) {
  if (id === null || position === null || arrivedAt === null) return null
  return { id, position, arrivedAt: arrivedAt.getTime(), ...more }
}
