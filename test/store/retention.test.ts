import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { createDatabase } from '../../src/store/database.ts'
import { approveKeys } from '../../src/store/enrollments.ts'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { createPartitions, partitionOf } from '../../src/store/partitions.ts'
import { findReport, listReports } from '../../src/store/report-list.ts'
import { recordReport, type ReportEntry } from '../../src/store/reports.ts'
import { applyRetention } from '../../src/store/retention.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, BOOT_A, heartbeatOf, reportOf, type StoredSystem } from '../support/entries.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'

const DAY_MS = 86_400_000
const LIMITS = {
  reportsMs: 400 * DAY_MS,
  onlinePeriodsMs: 400 * DAY_MS,
  eventsMs: 400 * DAY_MS,
  auditMs: 1095 * DAY_MS,
  historyMs: 400 * DAY_MS,
}

let store: TestDatabase
let view: StoreView
let system: StoredSystem
/** What a test opened beside the store. */
const closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  store = await createTestDatabase()
  view = createStoreView(store.database.db)
  system = await addStoredSystem(store.database.db, 'web1')
  await createPartitions(store.database.db)
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await store.drop()
})

const partitions = async () => {
  const { rows } = await sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'reports'::regclass order by name`.execute(store.database.db)
  return rows.map(({ name }) => name)
}

/** The first day of the month so many months ago, in UTC. */
const monthAgo = (months: number) => {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10)
}

/** Stores a report as it would be if it had been received in that month. */
const recordIn = async (month: string, entry: ReportEntry) => {
  await sql`create table if not exists ${sql.id(partitionOf(month))} partition of reports
    for values in (${sql.lit(month)})`.execute(store.database.db)
  await recordReport(store.database.db, entry)
  const id = Buffer.from(entry.id.slice('sha256:'.length), 'hex')
  await sql`update reports set month = ${month}::date, received_at = ${month}::timestamptz + interval '1 day'
    where id = ${id}`.execute(store.database.db)
}

const reportIds = async (of = system) =>
  (await listReports(store.database.db, of.systemId, { after: null, limit: 100 })).map((row) => row.id)

describe('partitions', () => {
  test('are made for this month and the next, as often as asked', async () => {
    const expected = [partitionOf(monthAgo(0)), partitionOf(monthAgo(-1)), 'reports_kept'].toSorted((a, b) =>
      a.localeCompare(b),
    )
    expect(await partitions()).toEqual(expected)
    await createPartitions(store.database.db)
    expect(await partitions()).toEqual(expected)
  })

  test('are made once by ten servers at once', async () => {
    await sql`drop table ${sql.id(partitionOf(monthAgo(0)))}, ${sql.id(partitionOf(monthAgo(-1)))}`.execute(
      store.database.db,
    )
    await Promise.all(Array.from({ length: 10 }, () => createPartitions(store.database.db)))
    expect(await partitions()).toHaveLength(3)
  })

  test('are made beside heartbeats, reports and operators, and nobody deadlocks', async () => {
    const second = createDatabase(store.connection, {
      maxConnections: 5,
      applicationName: 'second server',
      log: createLogger({ level: 'silent' }),
    })
    closing.push(second.close)
    const fleet = await Promise.all(
      Array.from({ length: 20 }, (_, index) => addStoredSystem(store.database.db, `host${index}`)),
    )
    for (let round = 0; round < 5; round += 1) {
      for (const months of [0, -1])
        await sql`drop table ${sql.id(partitionOf(monthAgo(months)))}`.execute(store.database.db)
      await Promise.all([
        ...fleet.map((each) => recordReport(store.database.db, reportOf(each))),
        ...fleet.map((each) => recordHeartbeats(second.db, [heartbeatOf(each)])),
        createPartitions(second.db),
        approveKeys(second.db, system.systemId),
        addStoredSystem(second.db, `added${round}`),
      ])
    }
    expect(await view.deadlocks()).toBe(0)
    expect(await partitions()).toHaveLength(3)
  })

  test('have the keys and constraints of the table they are part of', async () => {
    const { rows } = await sql<{ table: string; definition: string }>`
      select conrelid::regclass::text as table, pg_get_constraintdef(oid) as definition from pg_constraint
      where conrelid in ('reports_kept'::regclass, ${partitionOf(monthAgo(0))}::regclass)
        and contype <> 'n' order by definition`.execute(store.database.db)
    const of = (table: string) => rows.filter((row) => row.table === table).map((row) => row.definition)
    expect(of(partitionOf(monthAgo(0)))).toEqual(of('reports_kept'))
    expect(of('reports_kept').length).toBeGreaterThan(4)
  })

  test('that are missing are made when a report comes, and it is stored', async () => {
    await sql`drop table ${sql.id(partitionOf(monthAgo(0)))}, ${sql.id(partitionOf(monthAgo(-1)))}`.execute(
      store.database.db,
    )
    const others = await Promise.all(
      ['a', 'b', 'c', 'd'].map((hostname) => addStoredSystem(store.database.db, hostname)),
    )
    const outcomes = await Promise.all(
      [system, ...others].map((each) => recordReport(store.database.db, reportOf(each))),
    )
    expect(outcomes.map(({ result }) => result)).toEqual(['stored', 'stored', 'stored', 'stored', 'stored'])
    expect(await partitions()).toHaveLength(3)
    expect(await reportIds()).toHaveLength(1)
  })
})

describe('retention', () => {
  test('drops the months that are wholly too old, and no others', async () => {
    const entries: ReportEntry[] = []
    const months = [14, 13, 12, 0].map(monthAgo)
    for (const month of months) {
      const entry = reportOf(system, { previous: entries.at(-1)?.id ?? null })
      await recordIn(month, entry)
      entries.push(entry)
    }
    const limits = { ...LIMITS, reportsMs: Date.now() - Date.parse(monthAgo(12)) - DAY_MS }
    expect(await applyRetention(store.database.db, limits)).toEqual({
      months: months.slice(0, 2),
      onlinePeriods: 0,
    })
    expect(await partitions()).not.toContain(partitionOf(monthAgo(13)))
    expect(await partitions()).toContain(partitionOf(monthAgo(12)))
    expect(await reportIds()).toEqual([entries[3]?.id, entries[2]?.id])
  })

  test('forgets events that are too old, and no others', async () => {
    const { db } = store.database
    await sql`insert into events (kind, at, details) values ('head', now() - interval '401 days', '{}'),
      ('head', now() - interval '399 days', '{}')`.execute(db)
    await applyRetention(db, LIMITS)
    const { rows } = await sql`select from events where kind = 'head'`.execute(db)
    expect(rows).toHaveLength(1)
  })

  test('keeps a month while one moment of it is young enough', async () => {
    await recordIn(monthAgo(13), reportOf(system))
    const limits = { ...LIMITS, reportsMs: Date.now() - Date.parse(monthAgo(12)) + 1000 }
    expect(await applyRetention(store.database.db, limits)).toEqual({ months: [], onlinePeriods: 0 })
  })

  test('keeps the reports that present facts rest on, however old, byte for byte', async () => {
    const first = reportOf(system)
    const newest = reportOf(system, { previous: first.id })
    const other = await addStoredSystem(store.database.db, 'web2')
    await recordIn(monthAgo(20), first)
    await recordIn(monthAgo(20), newest)
    await recordIn(monthAgo(20), reportOf(other))
    const before = await findReport(store.database.db, newest.id)
    expect(await applyRetention(store.database.db, LIMITS)).toMatchObject({ months: [monthAgo(20)] })
    expect(await reportIds()).toEqual([newest.id])
    expect(await reportIds(other)).toHaveLength(1)
    expect(await findReport(store.database.db, newest.id)).toEqual(before)
    expect(await applyRetention(store.database.db, LIMITS)).toMatchObject({ months: [] })
    expect(await reportIds()).toEqual([newest.id])
  })

  test('forgets a kept report once another is the newest', async () => {
    const old = reportOf(system)
    await recordIn(monthAgo(20), old)
    await applyRetention(store.database.db, LIMITS)
    const next = reportOf(system, { previous: old.id })
    expect(await recordReport(store.database.db, next)).toEqual({ result: 'stored', chain: 'continues' })
    await applyRetention(store.database.db, LIMITS)
    expect(await reportIds()).toEqual([next.id])
  })

  test('still knows a kept report as a duplicate', async () => {
    const old = reportOf(system)
    await recordIn(monthAgo(20), old)
    await applyRetention(store.database.db, LIMITS)
    expect(await recordReport(store.database.db, old)).toEqual({ result: 'duplicate' })
  })

  test('keeps what is shown of the system', async () => {
    await recordIn(monthAgo(20), reportOf(system, { clock_skew_secs: 99 }))
    const before = await view.everything(system)
    await applyRetention(store.database.db, LIMITS)
    const { reports: _before, ...shown } = before
    expect(await view.everything(system)).toMatchObject(shown)
  })

  test('forgets online periods that ended too long ago', async () => {
    for (const days of [500, 401, 399, 1])
      await store.database.db
        .insertInto('online_periods')
        .values({
          system_id: system.systemId,
          started_at: new Date(Date.now() - 600 * DAY_MS + days * 1000),
          ended_at: new Date(Date.now() - days * DAY_MS),
          boot_id: BOOT_A,
        })
        .execute()
    expect(await applyRetention(store.database.db, LIMITS)).toEqual({ months: [], onlinePeriods: 2 })
    expect(await view.periods(system)).toHaveLength(2)
  })

  test('goes on beside servers that take reports', async () => {
    for (const months of [20, 19, 18, 17]) await recordIn(monthAgo(months), reportOf(system))
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, index) => addStoredSystem(store.database.db, `host${index}`)),
    )
    const [retention, ...outcomes] = await Promise.all([
      applyRetention(store.database.db, LIMITS),
      ...others.map((each) => recordReport(store.database.db, reportOf(each))),
    ])
    expect(retention.months).toHaveLength(4)
    expect(outcomes.filter(({ result }) => result === 'stored')).toHaveLength(20)
    expect(await view.deadlocks()).toBe(0)
  })
})
