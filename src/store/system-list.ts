import { type Kysely, type RawBuilder, sql, type SqlBool } from 'kysely'
import type { DriftState } from '../fleet/drift.ts'
import type { Flag } from '../fleet/flags.ts'
import type { Liveness, LivenessLimits } from '../fleet/liveness.ts'
import { type DriftColumns, driftColumns, driftCommits, type ShownDrift, withDrift } from './drift-columns.ts'
import type { DB } from './schema.generated.ts'
import { type SystemCursor, sortOf, type SystemSort } from './system-sort.ts'
import { countByDrift } from './tally.ts'

/** Whether and how a system may report. */
export const REGISTRATIONS = ['active', 'pending', 'keyless', 'archived'] as const
export type Registration = (typeof REGISTRATIONS)[number]

interface ListedColumns {
  id: number
  hostname: string
  environment: string | null
  declared: boolean
  registration: Registration
  liveness: Liveness
  last_contact: Date | null
  current_system: string | null
  nixos_version: string | null
  flags: Flag[]
}

/** What the fleet's list shows of one system. */
export interface SystemListRow extends ListedColumns {
  drift: ShownDrift | null
  /** Where the next page begins. */
  cursor: SystemCursor
}

export interface SystemFilter {
  liveness?: Liveness
  /** The state; `standing`, which a push does not change, is what is counted. */
  drift?: DriftState
  standing?: DriftState
  flag?: Flag
  environment?: string
  /** Its id. */
  flake?: number
  registration?: Registration
  /** Part of the host name. */
  text?: string
}

const within = (ms: number, intervals: number) => sql<SqlBool>`contacts.last_contact >= now() -
  greatest(make_interval(secs => ${ms / 1000}), contacts.interval_secs * interval '1 second' * ${sql.lit(intervals)})`

/** `fleet/liveness.ts` in SQL, over `contacts`; a test holds the two together. */
export function livenessSql(limits: LivenessLimits) {
  return sql<Liveness>`case
    when contacts.last_contact is null then 'never_seen'
    when ${within(limits.lateAfterMs, 3)} then 'online'
    when ${within(limits.offlineAfterMs, 10)} then 'late'
    else 'offline' end`
}

export const registrationSql = sql<Registration>`case
  when systems.archived_at is not null then 'archived'
  when exists (select from keys where keys.system_id = systems.id and keys.status = 'active') then 'active'
  when exists (select from keys where keys.system_id = systems.id and keys.status = 'pending') then 'pending'
  else 'keyless' end`

export interface SystemPage {
  filter: SystemFilter
  sort: SystemSort
  after: SystemCursor | null
  limit: number
  limits: LivenessLimits
}

/** One page of systems, as `listSystemRows` reads it, with the number of all that pass the filter. */
export async function listSystems(
  db: Kysely<DB>,
  page: SystemPage,
): Promise<{ rows: SystemListRow[]; total: number }> {
  const rows = await listSystemRows(db, page)
  return { rows, total: await countSystems(db, page.filter, page.limits) }
}

/**
 * One page of systems in the order asked for, from the one after the cursor `after`. Archived systems are left out unless
 * asked for by `registration`.
 */
export async function listSystemRows(db: Kysely<DB>, options: SystemPage): Promise<SystemListRow[]> {
  const { filter, limits } = options
  const { key, tie, order, isAfter } = sortOf(options.sort)
  const conditions = filterConditions(filter, limits)
  const archived = filter.registration === 'archived'
  const { rows } = await sql<ListedColumns & DriftColumns & { key: string; tie: string }>`
    with page as materialized (
      select systems.id
      from ${tables(archived, sql`join`)}
      where ${all(options.after === null ? conditions : [...conditions, isAfter(options.after)])}
      order by ${order} limit ${options.limit}
    )
    select systems.id, systems.hostname, systems.environment, systems.declared, ${registrationSql} as registration,
      ${livenessSql(limits)} as liveness, contacts.last_contact, contacts.current_system,
      facts.fingerprint #>> '{software,nixos_version}' as nixos_version,
      array(select flag from flags where flags.system_id = systems.id order by flag) as flags,
      ${driftColumns}, ${key} as key, ${tie} as tie
    from page
    join systems on systems.id = page.id
    join contacts on contacts.system_id = page.id
    left join drift d on d.system_id = page.id
    ${driftCommits}
    left join facts on facts.system_id = page.id
    order by ${order}`.execute(db)
  return rows.map(({ key: at, tie: id, ...row }) => ({ ...withDrift(row), cursor: [at, id] }))
}

async function countSystems(db: Kysely<DB>, filter: SystemFilter, limits: LivenessLimits): Promise<number> {
  if (Object.keys(filter).every((name) => name === 'drift' || name === 'standing'))
    return countByDrift(db, filter)
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from ${tables(filter.registration === 'archived', sql`left join`)}
    where ${all(filterConditions(filter, limits))}`.execute(db)
  return rows[0]?.total ?? 0
}

/**
 * Those that are not archived are those with a row in `drift`. PostgreSQL leaves a table out of a count that is joined
 * by `left join` and not filtered by.
 */
function tables(archived: boolean, join: RawBuilder<unknown>) {
  return archived
    ? sql`systems join contacts on contacts.system_id = systems.id left join drift d on d.system_id = systems.id`
    : sql`drift d ${join} systems on systems.id = d.system_id ${join} contacts on contacts.system_id = d.system_id`
}

const all = (conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> =>
  conditions.length === 0 ? sql`true` : sql`${sql.join(conditions, sql` and `)}`

function filterConditions(filter: SystemFilter, limits: LivenessLimits): RawBuilder<SqlBool>[] {
  const { liveness, drift, standing, flag, environment, flake, registration, text } = filter
  const conditions: (RawBuilder<SqlBool> | false)[] = [
    registration !== undefined && sql`${registrationSql} = ${registration}`,
    liveness !== undefined && sql`${livenessSql(limits)} = ${liveness}`,
    drift !== undefined && sql`d.state = ${drift}`,
    // where the newest commit settles it there is one state: its index serves both
    drift !== undefined && !UNSETTLED.has(drift) && sql`d.standing = ${drift}`,
    standing !== undefined && sql`d.standing = ${standing}`,
    environment !== undefined && sql`systems.environment = ${environment}`,
    flake !== undefined && sql`systems.flake_id = ${flake}`,
    flag !== undefined &&
      sql`exists (select from flags where flags.system_id = systems.id and flags.flag = ${flag})`,
    text !== undefined && sql`position(${text.toLowerCase()} in lower(systems.hostname)) > 0`,
  ]
  return conditions.filter((condition) => condition !== false)
}

/** States beside which the standing is another. */
const UNSETTLED: ReadonlySet<DriftState> = new Set(['pending', 'evaluation_failed'])
