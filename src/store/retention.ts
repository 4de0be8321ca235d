import { type Kysely, sql } from 'kysely'
import { expireAudit } from './audit.ts'
import { expireHistory } from './fleet-history.ts'
import { partitionOf } from './partitions.ts'
import type { DB } from './schema.generated.ts'
import { expireDeliveries } from './webhook-deliveries.ts'

export interface RetentionLimits {
  reportsMs: number
  onlinePeriodsMs: number
  eventsMs: number
  auditMs: number
  historyMs: number
}

/**
 * Forgets what is older than the limits: whole months of reports whose last moment is too old, online periods that ended
 * too long ago, events, counts of the fleet, records of the audit trail, and webhooks of more than 90 days ago. Reports
 * that a system's present facts rest on move to the kept partition first, in the same transaction, and leave it when they no longer are the newest and are too old themselves.
 */
export async function applyRetention(
  db: Kysely<DB>,
  limits: RetentionLimits,
): Promise<{ months: string[]; onlinePeriods: number }> {
  const months = await expiredMonths(db, limits.reportsMs)
  for (const month of months) await dropMonth(db, month)
  await sql`
    delete from reports r
    where r.month = '-infinity' and r.received_at < now() - make_interval(secs => ${limits.reportsMs / 1000})
      and not exists (select from facts f where f.system_id = r.system_id and f.report_id = r.id)`.execute(db)
  await expireDeliveries(db)
  await expireAudit(db, limits.auditMs)
  await expireHistory(db, limits.historyMs)
  await sql`delete from events where at < now() - make_interval(secs => ${limits.eventsMs / 1000})`.execute(
    db,
  )
  const periods = await sql`
    delete from online_periods
    where ended_at < now() - make_interval(secs => ${limits.onlinePeriodsMs / 1000})`.execute(db)
  return { months, onlinePeriods: Number(periods.numAffectedRows ?? 0) }
}

async function expiredMonths(db: Kysely<DB>, keepMs: number): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    select replace(substring(c.relname from 'reports_([0-9]{4}_[0-9]{2})$'), '_', '-') || '-01' as month
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'reports'::regclass and c.relname ~ '^reports_[0-9]{4}_[0-9]{2}$'
    order by month`.execute(db)
  const { rows: limit } = await sql<{ month: string }>`
    select to_char(date_trunc('month', (now() - make_interval(secs => ${keepMs / 1000})) at time zone 'UTC'),
                   'YYYY-MM-DD') as month`.execute(db)
  const oldestKept = limit[0]?.month ?? ''
  return rows.map((row) => row.month).filter((month) => month < oldestKept)
}

/** A reader that stays longer, such as a backup, keeps the month until the next run: reports would queue behind the drop. */
const LOCK_TIMEOUT = '5s'

async function dropMonth(db: Kysely<DB>, month: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(transaction)
    await sql`
      update reports r set month = '-infinity'
      where r.month = ${month}::date
        and exists (select from facts f where f.system_id = r.system_id and f.report_id = r.id)`.execute(
      transaction,
    )
    await sql`drop table ${sql.id(partitionOf(month))}`.execute(transaction)
  })
}
