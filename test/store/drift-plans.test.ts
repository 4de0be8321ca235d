import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { factsOf, planAsWritten } from '../../src/store/drift-facts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const SYSTEMS = 4000
const COMMITS = 4000

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
  for (const statement of FILL) await sql.raw(statement).execute(store.database.db)
})
afterAll(() => store.drop())

/** A flake of many commits, the newest of which are evaluated for many systems; some systems are behind, some foreign. */
const FILL = [
  `insert into flakes (url, repository) values ('a', 'a')`,
  `insert into commits (flake_id, sha, position, outcome, status)
   select 1, md5(i::text) || '00000000', i, 'evaluated', 'evaluated' from generate_series(1, ${COMMITS}) i`,
  `update flakes set head_commit_id = (select max(id) from commits)`,
  `insert into systems (hostname, flake_id) select 'host' || i, 1 from generate_series(1, ${SYSTEMS}) i`,
  `insert into evaluations (commit_id, configuration, status, drv_path, out_path, duration_ms, nix_version)
   select c.id, s.hostname, 'succeeded', 'd', md5(s.hostname || c.position), 1, '2.8'
   from commits c, systems s where c.position > ${COMMITS} - 10`,
  `insert into evaluated_paths (evaluation_id, configuration, specialisation, out_path)
   select id, configuration, '', out_path from evaluations`,
  `insert into facts (system_id, report_id, received_at, observed_at, running_since, fingerprint, current_system)
   select id, decode(repeat('00', 32), 'hex'), now(), now(), now(), '{}',
     case id % 3 when 0 then 'foreign' else md5(hostname || (${COMMITS} - (id % 3 - 1) * 5)) end
   from systems`,
  `insert into drift (system_id, state, since, standing, standing_since)
   select id, 'no_report', now(), 'no_report', now() from systems`,
  'analyze',
]

async function planOf(systemIds: readonly number[]): Promise<string> {
  return store.database.db.transaction().execute(async (transaction) => {
    await planAsWritten(transaction)
    await sql
      .raw(`prepare facts (bigint[]) as ${factsOf(systemIds).compile(transaction).sql}`)
      .execute(transaction)
    const { rows } = await sql
      .raw<{ 'QUERY PLAN': string }>(`explain (costs off) execute facts ('{${systemIds.join(',')}}')`)
      .execute(transaction)
    await sql`deallocate facts`.execute(transaction)
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  })
}

test('the facts of one system are read by indexes alone', async () => {
  const plan = await planOf([7])
  expect(plan).toContain('Index Scan using commits_branch')
  // flakes are few
  expect(plan).not.toMatch(/Seq Scan on (?!flakes )/)
  expect(plan).not.toContain('JIT')
  // and not those that other configurations give, which may be as many as there are commits of all
  expect(
    plan.match(/evaluated_paths_out_path on evaluated_paths \w+\n\s+Index Cond: .*configuration = /g),
  ).toHaveLength(2)
})

test('those of some systems scan neither commits nor results nor drift', async () => {
  const plan = await planOf(Array.from({ length: 50 }, (_, index) => index * 7 + 1))
  expect(plan).not.toMatch(/Seq Scan on (commits|evaluations|evaluated_paths|drift)\b/)
})

test('those of a thousand probe results and paths for each', async () => {
  const plan = await planOf(Array.from({ length: 1000 }, (_, index) => index + 1))
  expect(plan).not.toMatch(/Seq Scan on (evaluations|evaluated_paths)\b/)
})
