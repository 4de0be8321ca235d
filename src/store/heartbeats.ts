import { type Kysely, sql } from 'kysely'
import { CLOCK_SKEW_SECS } from '../fleet/flags.ts'
import { binaryArray, ELEMENT, type ElementType } from './binary-array.ts'
import { type KeyRefusal, refusalOf } from './key-standing.ts'
import type { KeyStatus } from './keys.ts'
import { prepared } from './prepared.ts'
import type { DB } from './schema.generated.ts'

/** One verified heartbeat. Digests are `sha256:<hex>`; `sequence` is what must rise, `intervalSecs` the system's own. */
export interface HeartbeatEntry {
  systemId: number
  keyId: string
  sequence: number
  bootId: string | null
  uptimeSecs: number | null
  clockSkewSecs: number
  currentSystem: string | null
  stateDigest: string
  reported: string | null
  protocol: 0 | 1
  intervalSecs: number
  /** The silence that ends an online period, in seconds. */
  offlineAfterSecs: number
}

export type HeartbeatOutcome =
  | { result: 'recorded'; wanted: boolean; historyLost: boolean }
  | { result: 'replayed'; lastSequence: number }
  | { result: 'refused'; problem: KeyRefusal }

/**
 * Records heartbeats of different systems in one statement and returns their outcomes in the order given. The statement
 * locks the systems' contact rows in the order of their ids, so that two servers' batches cannot deadlock, and itself
 * checks that each key is active and each sequence above the key's last: no cache decides. Throws on a system named twice.
 */
export async function recordHeartbeats(
  db: Kysely<DB>,
  entries: readonly HeartbeatEntry[],
): Promise<HeartbeatOutcome[]> {
  if (new Set(entries.map((entry) => entry.systemId)).size !== entries.length)
    throw new Error('a batch of heartbeats may hold one of each system')
  const recorded = await runBatch(db, entries)
  const rest = entries.filter((entry) => !recorded.has(entry.keyId))
  const refused = rest.length === 0 ? new Map<string, HeartbeatOutcome>() : await explain(db, rest)
  return entries.map((entry) => {
    const outcome = recorded.get(entry.keyId) ?? refused.get(entry.keyId)
    if (outcome === undefined) throw new Error(`no outcome for a heartbeat of key ${entry.keyId}`)
    return outcome
  })
}

const { bigint, digest, float8, integer, smallint, text, uuid } = ELEMENT

async function runBatch(db: Kysely<DB>, entries: readonly HeartbeatEntry[]) {
  const column = <T>(type: ElementType<T>, pick: (entry: HeartbeatEntry) => T | null) =>
    binaryArray(type, entries.map(pick))
  const { rows } = await sql<{ key_id: string; wanted: boolean; history_lost: boolean }>`${prepared}
    with input as (
      select * from unnest(
        ${column(bigint, (e) => e.systemId)}::bigint[], ${column(text, (e) => e.keyId)}::text[],
        ${column(bigint, (e) => e.sequence)}::bigint[], ${column(uuid, (e) => e.bootId)}::uuid[],
        ${column(bigint, (e) => e.uptimeSecs)}::bigint[], ${column(bigint, (e) => e.clockSkewSecs)}::bigint[],
        ${column(text, (e) => e.currentSystem)}::text[], ${column(digest, (e) => e.stateDigest)}::bytea[],
        ${column(digest, (e) => e.reported)}::bytea[], ${column(smallint, (e) => e.protocol)}::smallint[],
        ${column(integer, (e) => e.intervalSecs)}::integer[], ${column(float8, (e) => e.offlineAfterSecs)}::float8[]
      ) as i (system_id, key_id, sequence, boot_id, uptime_secs, clock_skew_secs, current_system, state_digest,
              reported, protocol, interval_secs, offline_after_secs)
    ),
    locked as materialized (
      select c.* from contacts c
      where c.system_id in (select system_id from input)
      order by c.system_id
      for no key update
    ),
    advanced as (
      update keys k set heartbeat_sequence = i.sequence
      from input i
      join locked l on l.system_id = i.system_id
      join systems s on s.id = i.system_id
      where k.id = i.key_id and k.system_id = i.system_id and k.status = 'active' and s.archived_at is null
        and i.sequence > (case i.protocol when 0 then greatest(k.heartbeat_sequence, k.state_sequence)
                                           else k.heartbeat_sequence end)
        and i.protocol >= l.protocol
      returning i.*
    ),
    -- what each heartbeat means for its system's row
    judged as (
      select a.*, l.online_since as old_online_since, l.last_contact as old_last_contact, l.boot_id as old_boot_id,
        l.previous_boot_id as old_previous_boot_id,
        greatest(l.last_contact, now()) as contact,
        l.last_contact is null
          or coalesce(l.boot_id <> a.boot_id, false)
          or l.last_contact < now() - make_interval(secs => a.offline_after_secs) as new_period,
        coalesce(a.boot_id = l.previous_boot_id and a.boot_id <> l.boot_id, false) as alternates,
        coalesce(l.boot_id <> a.boot_id, false) as rebooted,
        abs(a.clock_skew_secs) >= ${CLOCK_SKEW_SECS} as skewed,
        abs(l.clock_skew_secs) >= ${CLOCK_SKEW_SECS} as was_skewed,
        l.state_digest is distinct from a.state_digest as changed,
        a.reported is not null and a.reported is distinct from l.report_id
          and not exists (select from reports r where r.system_id = a.system_id and r.id = a.reported) as history_lost
      from advanced a join locked l on l.system_id = a.system_id
    ),
    moved as (
      update contacts c set
        last_contact = j.contact,
        online_since = case when j.new_period then j.contact else c.online_since end,
        previous_boot_id = case when j.rebooted then c.boot_id else c.previous_boot_id end,
        boot_id = coalesce(j.boot_id, c.boot_id),
        booted_at = coalesce(j.contact - make_interval(secs => j.uptime_secs),
                             case when not j.rebooted then c.booted_at end),
        interval_secs = j.interval_secs,
        clock_skew_secs = j.clock_skew_secs,
        current_system = j.current_system,
        protocol = j.protocol
      from judged j where c.system_id = j.system_id
    ),
    ended as (
      insert into online_periods (system_id, started_at, ended_at, boot_id)
      select system_id, old_online_since, old_last_contact, old_boot_id from judged
      where new_period and old_last_contact is not null
      on conflict do nothing
    ),
    raised as (
      insert into flags (system_id, flag, since, details)
      select system_id, 'identity_conflict', contact,
        jsonb_build_object('fact', 'boot_id', 'before', old_boot_id, 'now', boot_id)
      from judged where alternates
      union all
      select system_id, 'history_lost', contact, jsonb_build_object('reported', 'sha256:' || encode(reported, 'hex'))
      from judged where history_lost
      union all
      select system_id, 'clock_skew', contact, jsonb_build_object('clock_skew_secs', clock_skew_secs)
      from judged where skewed and not was_skewed
      on conflict do nothing
    ),
    lowered as (
      delete from flags f using judged j
      where f.system_id = j.system_id and f.flag = 'clock_skew' and j.was_skewed and not j.skewed
    )
    select key_id, changed or history_lost as wanted, history_lost from judged`.execute(db)
  return new Map<string, HeartbeatOutcome>(
    rows.map((row) => [
      row.key_id,
      { result: 'recorded', wanted: row.wanted, historyLost: row.history_lost },
    ]),
  )
}

/** Why the statement left these out. A key row cannot vanish, and its system neither. */
async function explain(db: Kysely<DB>, entries: readonly HeartbeatEntry[]) {
  const keys = await db
    .selectFrom('keys')
    .innerJoin('systems', 'systems.id', 'keys.system_id')
    .innerJoin('contacts', 'contacts.system_id', 'keys.system_id')
    .select([
      'keys.id',
      sql<KeyStatus>`keys.status`.as('status'),
      sql<boolean>`systems.archived_at is not null`.as('archived'),
      'contacts.protocol',
      'keys.heartbeat_sequence',
      'keys.state_sequence',
    ])
    .where(
      'keys.id',
      'in',
      entries.map((entry) => entry.keyId),
    )
    .execute()
  const protocolOf = new Map(entries.map((entry) => [entry.keyId, entry.protocol]))
  return new Map<string, HeartbeatOutcome>(
    keys.map((key) => {
      const problem = refusalOf(key)
      if (problem !== null) return [key.id, { result: 'refused', problem }]
      const protocol = protocolOf.get(key.id) ?? 1
      if (protocol < key.protocol) return [key.id, { result: 'refused', problem: 'forbidden' }]
      const lastSequence =
        protocol === 0 ? Math.max(key.heartbeat_sequence, key.state_sequence) : key.heartbeat_sequence
      return [key.id, { result: 'replayed', lastSequence }]
    }),
  )
}
