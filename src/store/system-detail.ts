import { type Kysely, sql } from 'kysely'
import type { FlagDetails } from '../fleet/flags.ts'
import type { LivenessLimits } from '../fleet/liveness.ts'
import { toDigestOrNull } from './digest-column.ts'
import { type DriftColumns, driftColumns, driftCommits, withDrift } from './drift-columns.ts'
import { type FlagRow, withMismatchKind } from './flags.ts'
import type { DB } from './schema.generated.ts'
import { livenessSql, registrationSql } from './system-list.ts'

/** Everything known of one system but its reports and keys, or null when there is none of this name. */
export async function systemDetail(db: Kysely<DB>, hostname: string, limits: LivenessLimits) {
  const row = await db
    .selectFrom('systems')
    .innerJoin('contacts', 'contacts.system_id', 'systems.id')
    .leftJoin('facts', 'facts.system_id', 'systems.id')
    .leftJoin('flakes', 'flakes.id', 'systems.flake_id')
    .select([
      'systems.id',
      'systems.hostname',
      'systems.environment',
      'systems.flake_id',
      'flakes.url as flake_url',
      // the one that is followed: without one of its own a flake has that of the remote's HEAD
      sql<string | null>`coalesce(flakes.head_branch, flakes.branch)`.as('branch'),
      'systems.configuration',
      'systems.pinned_path',
      'systems.assigned_at',
      'systems.declared',
      'systems.created_at',
      'systems.archived_at',
      registrationSql.as('registration'),
      livenessSql(limits).as('liveness'),
      'contacts.last_contact',
      'contacts.online_since',
      'contacts.boot_id',
      'contacts.booted_at',
      'contacts.interval_secs',
      'contacts.clock_skew_secs',
      'contacts.current_system',
      'contacts.protocol',
      'contacts.report_id',
      'facts.observed_at',
      'facts.received_at',
      'facts.hostname as reported_hostname',
      'facts.system',
      'facts.fingerprint',
    ])
    .where(sql`lower(systems.hostname)`, '=', hostname.toLowerCase())
    .executeTakeFirst()
  if (row === undefined) return null
  const [flags, drift] = [await flagsOf(db, row.id, row.booted_at), await driftOf(db, row.id)]
  return { ...row, report_id: toDigestOrNull(row.report_id), flags, drift }
}
export type SystemDetail = NonNullable<Awaited<ReturnType<typeof systemDetail>>>

/** Null for an archived system. */
async function driftOf(db: Kysely<DB>, systemId: number) {
  const { rows } = await sql<DriftColumns & { embeds_revision: boolean | null }>`
    select ${driftColumns}, (
      select e.embeds_revision from evaluations e
      where e.commit_id = d.desired_commit_id and e.configuration = coalesce(s.configuration, s.hostname)
    ) as embeds_revision
    from drift d join systems s on s.id = d.system_id
    ${driftCommits}
    where d.system_id = ${systemId}`.execute(db)
  const [row] = rows
  if (row === undefined) return null
  const { drift, embeds_revision } = withDrift(row)
  return drift && { ...drift, embeds_revision }
}

async function flagsOf(db: Kysely<DB>, systemId: number, bootedAt: Date | null): Promise<FlagRow[]> {
  const rows = await db
    .selectFrom('flags')
    .select([sql<FlagRow['flag']>`flag`.as('flag'), 'since', sql<FlagDetails>`details`.as('details')])
    .where('system_id', '=', systemId)
    .orderBy('flag')
    .execute()
  return rows.map((row) => ({ ...row, details: withMismatchKind(row.flag, row.details, bootedAt) }))
}
