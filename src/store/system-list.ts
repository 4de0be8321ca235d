import { type Expression, type Kysely, sql, type SqlBool } from 'kysely'
import type { Flag } from '../fleet/flags.ts'
import type { Liveness, LivenessLimits } from '../fleet/liveness.ts'
import type { DB } from './schema.generated.ts'

/** Whether and how a system may report. */
export const REGISTRATIONS = ['active', 'pending', 'keyless', 'archived'] as const
export type Registration = (typeof REGISTRATIONS)[number]

/** What the fleet's list shows of one system. */
export interface SystemListRow {
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

export interface SystemFilter {
  liveness?: Liveness
  flag?: Flag
  environment?: string
  registration?: Registration
  /** Part of the host name. */
  text?: string
}

/** `fleet/liveness.ts` in SQL, over `contacts`; a test holds the two together. */
export function livenessSql(limits: LivenessLimits) {
  const silence = sql`extract(epoch from now() - contacts.last_contact)`
  return sql<Liveness>`case
    when contacts.last_contact is null then 'never_seen'
    when ${silence} <= greatest(${limits.lateAfterMs / 1000}::numeric, 3 * contacts.interval_secs) then 'online'
    when ${silence} <= greatest(${limits.offlineAfterMs / 1000}::numeric, 10 * contacts.interval_secs) then 'late'
    else 'offline' end`
}

export const registrationSql = sql<Registration>`case
  when systems.archived_at is not null then 'archived'
  when exists (select from keys where keys.system_id = systems.id and keys.status = 'active') then 'active'
  when exists (select from keys where keys.system_id = systems.id and keys.status = 'pending') then 'pending'
  else 'keyless' end`

const flagsSql = sql<Flag[]>`array(
  select flag from flags where flags.system_id = systems.id order by flag)`

/**
 * One page of systems in the order of their host names, after the host name `after`, with the number of all that pass
 * the filter. Archived systems are left out unless asked for by `registration`.
 */
export async function listSystems(
  db: Kysely<DB>,
  options: { filter: SystemFilter; after: string | null; limit: number; limits: LivenessLimits },
): Promise<{ rows: SystemListRow[]; total: number }> {
  const conditions = filterConditions(options.filter, options.limits)
  const selected = db
    .selectFrom('systems')
    .innerJoin('contacts', 'contacts.system_id', 'systems.id')
    .where((where) => where.and(conditions))
  const rows = await selected
    .leftJoin('facts', 'facts.system_id', 'systems.id')
    .select([
      'systems.id',
      'systems.hostname',
      'systems.environment',
      'systems.declared',
      registrationSql.as('registration'),
      livenessSql(options.limits).as('liveness'),
      'contacts.last_contact',
      'contacts.current_system',
      sql<string | null>`facts.fingerprint #>> '{software,nixos_version}'`.as('nixos_version'),
      flagsSql.as('flags'),
    ])
    .$if(options.after !== null, (query) =>
      query.where(sql`lower(systems.hostname)`, '>', (options.after ?? '').toLowerCase()),
    )
    .orderBy(sql`lower(systems.hostname)`)
    .limit(options.limit)
    .execute()
  const { total } = await selected.select(sql<number>`count(*)`.as('total')).executeTakeFirstOrThrow()
  return { rows, total }
}

function filterConditions(filter: SystemFilter, limits: LivenessLimits): Expression<SqlBool>[] {
  const conditions: Expression<SqlBool>[] = []
  if (filter.registration === undefined) conditions.push(sql<SqlBool>`systems.archived_at is null`)
  else conditions.push(sql<SqlBool>`${registrationSql} = ${filter.registration}`)
  if (filter.liveness !== undefined)
    conditions.push(sql<SqlBool>`${livenessSql(limits)} = ${filter.liveness}`)
  if (filter.environment !== undefined)
    conditions.push(sql<SqlBool>`systems.environment = ${filter.environment}`)
  if (filter.flag !== undefined)
    conditions.push(
      sql<SqlBool>`exists (select from flags where flags.system_id = systems.id and flags.flag = ${filter.flag})`,
    )
  if (filter.text !== undefined)
    conditions.push(sql<SqlBool>`position(${filter.text.toLowerCase()} in lower(systems.hostname)) > 0`)
  return conditions
}
