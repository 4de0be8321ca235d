import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Chain } from '../fleet/chain.ts'
import { binaryArray, ELEMENT, type ElementType } from './binary-array.ts'
import { bootOf } from './contacts.ts'
import { toBytes } from './digest-column.ts'
import { prepared } from './prepared.ts'
import type { Reporter } from './reporters.ts'
import type { ReportEntry } from './reports.ts'
import type { DB } from './schema.generated.ts'

/** A report that is to be stored, and how it follows the one before. */
export interface AcceptedReport {
  entry: ReportEntry
  reporter: Reporter
  chain: Chain
}

/** Writes the evidence, the parsed facts, the keys' sequences and the contacts, in one statement. */
export async function writeReports(
  transaction: Transaction<DB>,
  accepted: readonly AcceptedReport[],
): Promise<void> {
  await sql`${prepared}
    with input as materialized (${inputOf(accepted)}),
    evidence as (
      insert into reports (system_id, id, month, received_at, observed_at, key_id, protocol, sequence, reason, previous,
        dropped, chain, body, method, authority, path, content_digest, signature_input, signature)
      select system_id, id, date_trunc('month', now() at time zone 'UTC')::date, now(), observed_at, key_id, protocol,
        sequence, reason, previous, dropped, chain, body, method, authority, path, content_digest, signature_input, signature
      from input
    ),
    sequences as (
      update keys k set state_sequence = i.sequence from input i where k.id = i.key_id
    ),
    same as (
      update facts f set report_id = i.id, received_at = now(), observed_at = i.observed_at
      from input i where f.system_id = i.system_id and i.fingerprint is null
    ),
    other as (
      insert into facts as f (system_id, report_id, received_at, observed_at, hostname, current_system, system, fingerprint,
        running_since)
      select system_id, id, now(), observed_at, hostname, current_system, system, fingerprint,
        -- when it was observed, as far as the host's clock can be right: not in the future, not before what it ran before
        least(observed_at, now())
      from input where fingerprint is not null
      on conflict (system_id) do update set report_id = excluded.report_id, received_at = excluded.received_at,
        observed_at = excluded.observed_at, hostname = excluded.hostname, current_system = excluded.current_system,
        system = excluded.system, fingerprint = excluded.fingerprint,
        running_since = case when f.current_system is not distinct from excluded.current_system then f.running_since
                             else greatest(f.running_since, excluded.running_since) end
    ),
    ended as (
      insert into online_periods (system_id, started_at, ended_at, boot_id)
      select c.system_id, c.online_since, c.last_contact, c.boot_id
      from input i join contacts c on c.system_id = i.system_id
      where c.last_contact is not null and (i.is_reboot or c.last_contact < now() - make_interval(secs => i.offline_after_secs))
      on conflict do nothing
    )
    update contacts c set
      last_contact = greatest(c.last_contact, now()),
      online_since = case
        when i.is_reboot or c.last_contact is null or c.last_contact < now() - make_interval(secs => i.offline_after_secs)
        then greatest(c.last_contact, now()) else c.online_since end,
      interval_secs = i.interval_secs,
      clock_skew_secs = i.clock_skew_secs,
      current_system = i.current_system,
      state_digest = i.state_digest,
      report_id = i.id,
      protocol = i.protocol,
      boot_id = case when i.tells_boot then i.boot_id else c.boot_id end,
      previous_boot_id = case when i.is_reboot then c.boot_id else c.previous_boot_id end,
      booted_at = case when not i.is_reboot then c.booted_at end
    from input i where c.system_id = i.system_id`.execute(transaction)
}

const { bigint, boolean, digest, float8, integer, jsonb, smallint, text, timestamptz, uuid } = ELEMENT

/** The rows of `input`. The bodies come as one text of bytes, which `pg` sends as it is. */
function inputOf(accepted: readonly AcceptedReport[]): RawBuilder<unknown> {
  const column = <T>(type: ElementType<T>, pick: (entry: ReportEntry) => T | null) =>
    binaryArray(
      type,
      accepted.map(({ entry }) => pick(entry)),
    )
  const boots = accepted.map(({ entry, reporter }) => bootOf(entry, reporter))
  const bodies = accepted.map(({ entry }) => entry.evidence.body)
  let end = 1
  const starts = bodies.map((body) => (end += body.length) - body.length)
  return sql`
    select i.*, substr(${Buffer.concat(bodies)}::bytea, i.body_start, i.body_length) as body
    from unnest(
      ${column(bigint, (e) => e.systemId)}::bigint[], ${column(text, (e) => e.keyId)}::text[],
      ${column(smallint, (e) => e.protocol)}::smallint[], ${column(digest, (e) => e.id)}::bytea[],
      ${column(digest, (e) => e.previous)}::bytea[], ${column(bigint, (e) => e.sequence)}::bigint[],
      ${column(timestamptz, (e) => e.observedAt)}::timestamptz[], ${column(text, (e) => e.reason)}::text[],
      ${column(bigint, (e) => e.dropped)}::bigint[], ${binaryArray(
        text,
        accepted.map(({ chain }) => chain),
      )}::text[],
      ${binaryArray(integer, starts)}::integer[], ${column(integer, (e) => e.evidence.body.length)}::integer[],
      ${column(text, (e) => e.evidence.method)}::text[], ${column(text, (e) => e.evidence.authority)}::text[],
      ${column(text, (e) => e.evidence.path)}::text[], ${column(text, (e) => e.evidence.contentDigest)}::text[],
      ${column(text, (e) => e.evidence.signatureInput)}::text[], ${column(text, (e) => e.evidence.signature)}::text[],
      ${column(uuid, (e) => e.bootId)}::uuid[],
      ${binaryArray(
        boolean,
        boots.map(({ tellsBoot }) => tellsBoot),
      )}::boolean[],
      ${binaryArray(
        boolean,
        boots.map(({ isReboot }) => isReboot),
      )}::boolean[],
      ${column(integer, (e) => e.intervalSecs)}::integer[], ${column(float8, (e) => e.offlineAfterSecs)}::float8[],
      ${column(bigint, (e) => e.facts.clockSkewSecs)}::bigint[],
      ${column(text, (e) => e.facts.system?.current ?? null)}::text[], ${column(digest, (e) => e.stateDigest)}::bytea[],
      ${column(text, (e) => e.facts.hostname)}::text[],
      ${column(jsonb, (e) => (e.system === null ? null : JSON.stringify(e.system)))}::jsonb[],
      ${binaryArray(
        jsonb,
        accepted.map((each) => (saysTheSame(each) ? null : JSON.stringify(each.entry.fingerprint))),
      )}::jsonb[]
    ) as i (system_id, key_id, protocol, id, previous, sequence, observed_at, reason, dropped, chain, body_start, body_length,
            method, authority, path, content_digest, signature_input, signature, boot_id, tells_boot, is_reboot,
            interval_secs, offline_after_secs, clock_skew_secs, current_system, state_digest, hostname, system, fingerprint)`
}

/** Its state digest is that of the stored facts: then none of them is written again. */
function saysTheSame({ entry, reporter }: AcceptedReport): boolean {
  const { state_digest: stored } = reporter.contact
  return reporter.hasReported && stored !== null && stored.equals(toBytes(entry.stateDigest))
}

/** An event for each report. */
export async function noteReports(
  transaction: Transaction<DB>,
  accepted: readonly AcceptedReport[],
): Promise<void> {
  const systemIds = accepted.map(({ entry }) => entry.systemId)
  const details = accepted.map(({ entry: { id, reason, facts }, chain }) =>
    JSON.stringify({ id, reason, chain, current: facts.system?.current ?? null }),
  )
  await sql`${prepared}
    insert into events (kind, system_id, details)
    select 'report', i.system_id, i.details
    from unnest(${binaryArray(bigint, systemIds)}::bigint[], ${binaryArray(jsonb, details)}::jsonb[])
      as i (system_id, details)`.execute(transaction)
}
