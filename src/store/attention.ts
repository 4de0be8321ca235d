import { type Kysely, type RawBuilder, sql } from 'kysely'
import { type AttentionKind, LONG_BEHIND_MS } from '../fleet/attention.ts'
import type { DriftState } from '../fleet/drift.ts'
import { type FlagDetails, FLAGS } from '../fleet/flags.ts'
import type { Liveness, LivenessLimits } from '../fleet/liveness.ts'
import { withMismatchKind } from './flags.ts'
import { countFleet, isActive } from './fleet-summary.ts'
import type { DB } from './schema.generated.ts'
import { livenessSql } from './system-list.ts'

/** Something that may need somebody, of a system or of a flake. */
export interface AttentionItem {
  kind: AttentionKind
  since: Date
  hostname: string | null
  environment: string | null
  flake: { id: number; url: string; branch: string | null } | null
  /** The facts that decide it; of `profile_mismatch` with its kind. */
  details: FlagDetails
}

/** Items of each kind, at most so many as were asked for, the oldest first, and how many there are of each in all. */
export interface Attention {
  items: AttentionItem[]
  counts: Partial<Record<AttentionKind, number>>
}

/** Standings that somebody has to look at however new they are. */
const STANDINGS = [
  'unmanaged',
  'wrong_configuration',
  'off_branch',
  'pinned_mismatch',
] as const satisfies readonly DriftState[]

const SILENT = ['offline', 'late', 'never_seen'] as const satisfies readonly Liveness[]

const longBehind = sql`now() - make_interval(secs => ${sql.lit(LONG_BEHIND_MS / 1000)})`

const isSyncFailed = sql`sync_failed_at is not null and archived_at is null`

/** To archive a system is an answer to the keys that wait: of one that is archived those that came since wait for another. */
const isKeyWaiting = sql`keys.status = 'pending' and not exists (
  select from systems where systems.id = keys.system_id and systems.archived_at >= keys.created_at)`

const shaOf = (column: string) => sql`(select sha from commits where id = ${sql.ref(column)})`

/** Of a row `d` of `drift`. */
const driftDetails = sql`jsonb_strip_nulls(jsonb_build_object(
  'running_path', d.running_path, 'desired_path', d.desired_path, 'running_commit', ${shaOf('d.running_commit_id')},
  'desired_commit', ${shaOf('d.desired_commit_id')}, 'head_commit', ${shaOf('d.head_commit_id')},
  'configuration', d.configuration, 'specialisation', d.specialisation, 'reason', d.reason,
  'commits_behind', d.commits_behind, 'commits_unknown', d.commits_unknown))`

/** What the newest commit failed with for the system of a row `d` of `drift`, else for all its configurations. */
const failureDetails = sql`coalesce(
  (select jsonb_build_object('cause', e.cause, 'evaluation', e.id) from evaluations e join systems s on s.id = d.system_id
   where e.commit_id = d.head_commit_id and e.configuration = coalesce(s.configuration, s.hostname) and e.status = 'failed'),
  (select jsonb_strip_nulls(jsonb_build_object('cause', cause)) from commits where id = d.head_commit_id), '{}')`

/** What needs attention but for systems that are silent, at most `each` items of each kind, and how many systems there are. */
export async function readAttention(db: Kysely<DB>, each: number): Promise<Attention & { systems: number }> {
  const items = await selectItems(
    db,
    sql`
    select k.kind, f.system_id, null::bigint as flake_id, f.since, f.details
    from unnest(${[...FLAGS]}::text[]) as k (kind) cross join lateral (
      select system_id, since, details from flags where flag = k.kind and ${isActive('flags.system_id')}
      order by since, system_id limit ${each}) f
    union all
    select k.kind, d.system_id, null, d.standing_since, ${driftDetails}
    from unnest(${[...STANDINGS, 'behind']}::text[]) as k (kind) cross join lateral (
      select * from drift where standing = k.kind and (k.kind <> 'behind' or standing_since < ${longBehind})
      order by standing_since, system_id limit ${each}) d
    union all
    select 'evaluation_failed', d.system_id, null, d.since, ${driftDetails} || ${failureDetails}
    from (
      select * from drift where state = 'evaluation_failed' order by since, system_id limit ${each}
    ) d
    union all
    select 'key_pending', k.system_id, null, k.since, jsonb_build_object('keys', k.keys)
    from (
      select system_id, min(created_at) as since, count(*) as keys from keys
      where ${isKeyWaiting}
      group by system_id order by since, system_id limit ${each}
    ) k
    union all
    (select 'sync_failed', null, id, coalesce(synced_at, created_at),
       jsonb_build_object('failed_at', sync_failed_at, 'error', left(sync_error, 300))
     from flakes where ${isSyncFailed} order by coalesce(synced_at, created_at), id limit ${each})`,
  )
  const { systems, flags, drift, standing } = await countFleet(db)
  const { rows } = await sql<{ behind: number; key_pending: number; sync_failed: number }>`
    select
      (select count(*) from drift where standing = 'behind' and standing_since < ${longBehind}) as behind,
      (select count(distinct system_id) from keys where ${isKeyWaiting}) as key_pending,
      (select count(*) from flakes where ${isSyncFailed}) as sync_failed`.execute(db)
  const standings = Object.fromEntries(STANDINGS.map((state) => [state, standing[state]]))
  const counts = { ...flags, ...standings, ...rows[0], evaluation_failed: drift.evaluation_failed }
  return { items, counts, systems }
}

/** Systems that are silent, at most `each` of each kind: all contacts are looked at. */
export async function readSilence(db: Kysely<DB>, limits: LivenessLimits, each: number): Promise<Attention> {
  const liveness = livenessSql(limits)
  // what most systems are is told by one comparison
  const mayBe = sql`(contacts.last_contact is null
    or contacts.last_contact < now() - make_interval(secs => ${limits.lateAfterMs / 1000}))`
  const { rows: counted } = await sql<{ kind: (typeof SILENT)[number] | 'online'; count: number }>`
    select ${liveness} as kind, count(*) as count from contacts
    where ${mayBe} and ${isActive('contacts.system_id')} group by 1`.execute(db)
  const counts = Object.fromEntries(counted.map(({ kind, count }) => [kind, count]))
  const there = SILENT.filter((kind) => counts[kind] !== undefined)
  if (there.length === 0) return { items: [], counts: {} }
  const items = await selectItems(
    db,
    sql`
    select k.kind, c.system_id, null::bigint as flake_id, c.last_contact as since, '{}'::jsonb as details
    from unnest(${there}::text[]) as k (kind) cross join lateral (
      select system_id, last_contact from contacts
      where ${mayBe} and ${liveness} = k.kind and ${isActive('contacts.system_id')}
      order by last_contact, system_id limit ${each}) c`,
  )
  return { items, counts: Object.fromEntries(there.map((kind) => [kind, counts[kind]])) }
}

/** Names what the rows of a query (kind, system_id, flake_id, since, details) are of; the oldest of each kind first. */
async function selectItems(db: Kysely<DB>, found: RawBuilder<unknown>): Promise<AttentionItem[]> {
  const { rows } = await sql<AttentionItem & { booted_at: Date | null }>`
    select i.kind, coalesce(i.since, s.created_at) as since, s.hostname, s.environment,
      case when f.id is not null then
        jsonb_build_object('id', f.id, 'url', f.url, 'branch', coalesce(f.head_branch, f.branch)) end as flake,
      i.details, c.booted_at
    from (${found}) i
    left join systems s on s.id = i.system_id
    left join contacts c on c.system_id = i.system_id
    left join flakes f on f.id = i.flake_id
    order by 2, s.id, f.id`.execute(db)
  return rows.map(({ booted_at: bootedAt, ...item }) => ({
    ...item,
    details: withMismatchKind(item.kind, item.details, bootedAt),
  }))
}
