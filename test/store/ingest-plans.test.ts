import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { recordReports } from '../../src/store/reports.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { heartbeatOf, reportOf, type StoredSystem } from '../support/entries.ts'
import { newKey } from '../support/test-agent.ts'

const SYSTEMS = 20_000
/** More often than PostgreSQL plans a prepared statement anew, which is 5 times. */
const ROUNDS = 8

let store: TestDatabase
let fleet: StoredSystem[]

beforeAll(async () => {
  store = await createTestDatabase()
  const { db } = store.database
  const key = newKey()
  for (const statement of FILL) await sql.raw(statement).execute(db)
  const { rows } = await sql<{ system_id: number; hostname: string; id: string }>`
    select k.system_id, s.hostname, k.id from keys k join systems s on s.id = k.system_id order by 1 limit 500`.execute(
    db,
  )
  fleet = rows.map((row) => ({
    systemId: row.system_id,
    hostname: row.hostname,
    key: { ...key, id: row.id },
  }))
})
afterAll(() => store.drop())

/** Systems that have all sent many reports; on a small table a scan would be right. */
const FILL = [
  `insert into systems (hostname) select 'host' || i from generate_series(1, ${SYSTEMS}) i`,
  `insert into keys (id, system_id, public_key, status)
   select md5(id::text), id, decode(md5(id::text) || md5('k' || id), 'hex'), 'active' from systems`,
  `insert into contacts (system_id, last_contact, online_since, report_id, protocol)
   select id, now(), now(), decode(md5('4/' || id) || md5(''), 'hex'), 1 from systems`,
  `insert into reports (system_id, id, month, received_at, observed_at, key_id, protocol, sequence, reason, dropped, chain,
     body, method, authority, path, signature)
   select k.system_id, decode(md5(n || '/' || k.system_id) || md5(''), 'hex'), '-infinity', now(), now(), k.id, 1, n, 'startup', 0,
     'continues', '', 'POST', 'a', '/', ''
   from keys k, generate_series(4, 4) n`,
  `insert into facts (system_id, report_id, received_at, observed_at, running_since, fingerprint)
   select system_id, report_id, now(), now(), now(), '{}' from contacts`,
  `insert into online_periods (system_id, started_at, ended_at)
   select id, now() - n * interval '1 day', now() - n * interval '1 day' from systems, generate_series(1, 1) n`,
  `insert into drift (system_id, state, since, standing, standing_since)
   select id, 'no_report', now(), 'no_report', now() from systems`,
  `insert into events (kind, system_id, details) select 'report', id, '{}' from systems`,
  'analyze',
]

/** How often the tables that grow were read from end to end so far. Flags that are up are few: a scan may be right there. */
async function scans(): Promise<Record<string, number>> {
  const { db } = store.database
  await sql`select pg_stat_force_next_flush()`.execute(db)
  const { rows } = await sql<{ relname: string; seq_scan: number }>`
    select relname, seq_scan from pg_stat_user_tables
    where relname in ('systems', 'keys', 'contacts', 'reports_kept', 'facts', 'online_periods', 'drift', 'events')
    order by relname`.execute(db)
  return Object.fromEntries(rows.map((row) => [row.relname, row.seq_scan]))
}

test.each([1, 20, 500])('heartbeats read no table from end to end, in batches of %i', async (size) => {
  const before = await scans()
  for (let round = 0; round < ROUNDS; round += 1)
    await recordHeartbeats(
      store.database.db,
      // one clock is wrong, and every one names a report that is not its newest
      fleet.slice(0, size).map((system, index) =>
        heartbeatOf(system, {
          clockSkewSecs: index === round ? 100 : 0,
          reported: `sha256:${'0'.repeat(64)}`,
        }),
      ),
    )
  expect(await scans()).toEqual(before)
})

test.each([1, 20])('reports read no table from end to end, in batches of %i', async (size) => {
  const before = await scans()
  for (let round = 0; round < ROUNDS; round += 1)
    await recordReports(
      store.database.db,
      fleet.slice(0, size).map((system) => reportOf(system, { spool_failed: round % 2 === 0 })),
    )
  expect(await scans()).toEqual(before)
})
