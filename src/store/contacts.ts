import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { toBytes, toDigestOrNull } from './digest-column.ts'
import type { DB } from './schema.generated.ts'

/** The digest of a system's newest accepted report, or null before the first. */
export async function findStateDigest(db: Kysely<DB>, systemId: number): Promise<string | null> {
  const row = await db
    .selectFrom('contacts')
    .select('state_digest')
    .where('system_id', '=', systemId)
    .executeTakeFirst()
  return toDigestOrNull(row?.state_digest ?? null)
}

/** What of a report moves its system's contact row. Digests are `sha256:<hex>`. */
export interface ReportContact {
  systemId: number
  id: string
  protocol: 0 | 1
  sequence: number
  observedAt: Date
  bootId: string | null
  clockSkewSecs: number
  currentSystem: string | null
  stateDigest: string
  intervalSecs: number
  offlineAfterSecs: number
}

/**
 * Counts a stored report as a contact, under the lock of the contact row `before`. A boot id that is another ends the
 * online period, as one of a heartbeat does.
 */
export async function moveContact(
  transaction: Transaction<DB>,
  report: ReportContact,
  before: { contact: Selectable<DB['contacts']>; heartbeat_sequence: number },
): Promise<void> {
  const { contact } = before
  const tellsBoot = contact.boot_id === null ? report.bootId !== null : isNewBoot(report, before)
  const isReboot = tellsBoot && contact.boot_id !== null
  const silent = sql<boolean>`(last_contact is null or last_contact < now() - make_interval(secs => ${report.offlineAfterSecs}))`
  if (contact.last_contact !== null)
    await sql`
      insert into online_periods (system_id, started_at, ended_at, boot_id)
      select system_id, online_since, last_contact, boot_id from contacts
      where system_id = ${report.systemId} and (${isReboot}::boolean or ${silent})
      on conflict do nothing`.execute(transaction)
  const now = sql<Date>`greatest(last_contact, now())`
  await transaction
    .updateTable('contacts')
    .set({
      last_contact: now,
      online_since: sql`case when ${isReboot}::boolean or ${silent} then ${now} else online_since end`,
      interval_secs: report.intervalSecs,
      clock_skew_secs: report.clockSkewSecs,
      current_system: report.currentSystem,
      state_digest: toBytes(report.stateDigest),
      report_id: toBytes(report.id),
      protocol: report.protocol,
      ...(tellsBoot ? { boot_id: report.bootId } : {}),
      ...(isReboot ? { previous_boot_id: contact.boot_id, booted_at: null } : {}),
    })
    .where('system_id', '=', report.systemId)
    .execute()
}

/**
 * Whether a report comes from a boot after the one that is known, and not from an earlier one of which it waited in the
 * spool: then it was observed before the last heartbeat, whose sequence is a time (protocol.md), whichever sequence it has.
 */
function isNewBoot(
  { bootId, sequence, observedAt }: ReportContact,
  { contact, heartbeat_sequence: lastHeartbeat }: Parameters<typeof moveContact>[2],
): boolean {
  const isOther = bootId !== null && bootId !== contact.boot_id && bootId !== contact.previous_boot_id
  return isOther && Math.min(sequence, observedAt.getTime()) > lastHeartbeat
}
