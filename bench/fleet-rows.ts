import type { Client } from 'pg'
import { createFingerprint, createStateReport } from '../test/support/messages.ts'

const storePath = (of: string) =>
  `'/nix/store/' || translate(md5(${of}), 'e', 'q') || '-nixos-system-host-25.11'`

/** `systems` systems of one flake with 200 commits: four in five in sync, the others in every other state; one in six flagged. */
export async function fillFleet(client: Client, systems: number): Promise<void> {
  for (const statement of STATEMENTS) await client.query(statement, statement.includes('$1') ? [systems] : [])
  await client.query(
    `insert into facts (system_id, report_id, received_at, observed_at, hostname, current_system, system, fingerprint, running_since)
     select c.system_id, c.report_id, c.last_contact, c.last_contact, s.hostname, c.current_system, null, $1::jsonb, c.last_contact
     from contacts c join systems s on s.id = c.system_id where c.report_id is not null`,
    [JSON.stringify(createFingerprint())],
  )
  await client.query('vacuum analyze')
}

/** Results of the two newest commits for each system: what it runs when it is in sync, else another path. */
export async function fillEvaluations(client: Client): Promise<void> {
  await client.query(
    `insert into evaluations (commit_id, configuration, status, drv_path, out_path, platform, nixos_version, embeds_revision,
       duration_ms, nix_version)
     select c.id, s.hostname, 'succeeded', p.path || '.drv', p.path, 'x86_64-linux', '25.11', false, 500, '2.8.0'
     from systems s join drift d on d.system_id = s.id
     cross join (select id from commits order by position desc limit 2) c
     cross join lateral (
       select case d.standing when 'in_sync' then d.running_path else ${storePath("'d' || s.id")} end as path) p`,
  )
  await client.query(
    `insert into evaluated_paths (evaluation_id, configuration, specialisation, out_path)
     select id, configuration, '', out_path from evaluations`,
  )
  await client.query(
    `update commits c set outcome = 'evaluated', configurations = counted.results, succeeded = counted.results, finished_at = now()
     from (select commit_id, count(*) as results from evaluations group by 1) counted where c.id = counted.commit_id`,
  )
}

/** So many reports of each system that has reported, three a month, the newest being that of its present facts. */
export async function fillReports(client: Client, each: number): Promise<void> {
  const body = Buffer.from(JSON.stringify(createStateReport()))
  for (let report = 0; report < each; report += 1) {
    const month = `date_trunc('month', now() at time zone 'UTC' - interval '${Math.floor(report / 3)} months')`
    const { rows } = await client.query<{ name: string; month: string }>(
      `select 'reports_' || to_char(${month}, 'YYYY_MM') as name, to_char(${month}, 'YYYY-MM-DD') as month`,
    )
    for (const { name, month: first } of rows)
      await client.query(`create table if not exists ${name} partition of reports for values in ('${first}')`)
    await client.query(
      `insert into reports (system_id, id, month, received_at, observed_at, key_id, protocol, sequence, reason, previous, dropped,
         chain, body, method, authority, path, content_digest, signature_input, signature)
       select c.system_id, case $1::integer when 0 then c.report_id else sha256(convert_to(c.system_id || '/' || $1, 'UTF8')) end,
         (${month})::date, ${month} + $1 * interval '1 hour', ${month} + $1 * interval '1 hour', md5(c.system_id::text), 1,
         1000 - $1, 'config_change', null, 0, 'continues', $2, 'POST',
         'forge.example.org', '/agent/state', 'sha-256=:' || md5(c.system_id::text) || ':', md5('i' || c.system_id),
         md5('s' || c.system_id)
       from contacts c where c.report_id is not null`,
      [report, body],
    )
  }
  await client.query('vacuum analyze')
}

const STATEMENTS = [
  `insert into flakes (url, repository, branch, head_branch, synced_at)
   values ('git+https://example.org/fleet', 'example.org/fleet', 'main', 'main', now())`,
  `insert into commits (flake_id, sha, position, subject, author, status, arrived_at)
   select 1, md5(n::text) || '00000000', n, 'commit ' || n, 'someone', 'evaluated', now() - (200 - n) * interval '1 hour'
   from generate_series(0, 199) n`,
  `update flakes set head_commit_id = (select max(id) from commits)`,
  `insert into systems (hostname, environment, flake_id, configuration)
   select 'host-' || substr(md5(n::text), 1, 8) || n, (array['production', 'staging', 'lab'])[1 + n % 3], 1, null
   from generate_series(1, $1::integer) n`,
  `insert into keys (id, system_id, public_key, status)
   select md5(id::text), id, decode(md5(id::text) || md5('k' || id), 'hex'), 'active' from systems`,
  `insert into contacts (system_id, last_contact, online_since, boot_id, booted_at, current_system, state_digest, report_id, protocol)
   select id, case when id % 100 = 0 then null
                   when id % 50 = 1 then now() - interval '2 days'
                   else now() + interval '1 hour' - id % 60 * interval '1 second' end,
     now() - interval '5 days', gen_random_uuid(), now() - interval '5 days',
     ${storePath("(id % 200)::text || '/' || id")},
     decode(md5('s' || id) || md5('t' || id), 'hex'),
     case when id % 100 <> 0 then decode(md5('r' || id) || md5('q' || id), 'hex') end, 1
   from systems`,
  `insert into flags (system_id, flag, since, details)
   select id, (array['reboot_needed', 'profile_mismatch', 'clock_skew'])[1 + id % 3], now(), '{"parts": ["kernel"]}'
   from systems where id % 6 = 0`,
  `insert into drift (system_id, state, since, standing, standing_since, running_path, desired_path, running_commit_id,
                      desired_commit_id, head_commit_id, commits_behind, commits_unknown)
   select n.system_id, case when n.roll % 10 = 7 then 'pending' else n.standing end, n.since, n.standing, n.since, n.path,
     case n.standing when 'in_sync' then n.path else ${storePath("'d' || n.system_id")} end,
     200 - n.roll % 100, 200, 200, case n.standing when 'behind' then 3 end, case n.standing when 'behind' then 0 end
   from (
     select c.system_id, c.current_system as path, c.system_id % 100 as roll,
       now() - (c.system_id * 7919 % 1000000) * interval '1 second' as since,
       case when c.report_id is null then 'no_report'
            when c.system_id % 100 < 80 then 'in_sync' when c.system_id % 100 < 92 then 'behind'
            when c.system_id % 100 < 95 then 'unmanaged' when c.system_id % 100 < 97 then 'off_branch'
            when c.system_id % 100 < 98 then 'evaluation_failed' when c.system_id % 100 < 99 then 'wrong_configuration'
            else 'unassigned' end as standing
     from contacts c
   ) n`,
  `insert into events (kind, at, system_id, details)
   select case when n % 10 = 0 then 'drift' else 'report' end, now() - (300000 - n) * interval '1 second', 1 + n % $1::integer,
     jsonb_build_object('from', 'behind', 'to', 'in_sync', 'reason', 'changed')
   from generate_series(1, 300000) n`,
  `insert into fleet_history (at, counts)
   select date_bin('15 minutes', now(), timestamptz 'epoch') - n * interval '15 minutes',
     jsonb_build_object('systems', $1::integer, 'liveness', jsonb_build_object('online', 90000 + n % 1000),
       'standing', jsonb_build_object('in_sync', 80000 + n % 1000))
   from generate_series(0, 400 * 96) n`,
]
