-- What every system should run: flakes, their commits, what the commits' configurations evaluate to, and how each system
-- stands to that (drift).

create table flakes (
  id bigint generated always as identity primary key,
  -- as it was given; the rest is taken from it (fleet/flake-url.ts)
  url text not null,
  -- one form for all ways to write a repository: what a webhook is matched by
  repository text not null,
  directory text,
  -- null: whatever the remote's HEAD is
  branch text,
  -- declared in a configuration file: read-only in the API
  declared boolean not null default false,
  allow_import_from_derivation boolean not null default false,
  search_depth integer not null default 100 check (search_depth > 0),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  -- the branch that the last sync followed, and its newest commit
  head_branch text,
  head_commit_id bigint,
  synced_at timestamptz,
  sync_failed_at timestamptz,
  sync_error text,
  next_poll_at timestamptz not null default now()
);
create unique index flakes_identity on flakes (repository, coalesce(directory, ''), coalesce(branch, ''));

create table commits (
  id bigint generated always as identity primary key,
  flake_id bigint not null references flakes (id),
  sha text not null check (sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  -- of the first-parent commit that brought it into the branch, counted from the first commit, 0; null: the branch does not have it
  position integer,
  -- itself a first-parent commit; false for what a merge brought in
  mainline boolean not null default true,
  -- since when the branch has it, as seen from here; and since when it does not any more
  arrived_at timestamptz not null default now(),
  left_at timestamptz,
  author text,
  subject text,
  authored_at timestamptz,
  committed_at timestamptz,
  -- whether it carries a signature; nobody has checked it
  signed boolean,
  -- new: not asked for; superseded: was asked for, but no longer when its turn came
  status text not null default 'new'
    check (status in ('new', 'queued', 'running', 'evaluated', 'failed', 'superseded')),
  queued_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  -- how its newest evaluation that ended ended: what drift goes by, also while it is evaluated again
  outcome text check (outcome in ('evaluated', 'failed')),
  -- how many configurations the flake has at this commit
  configurations integer,
  -- how many of them have which result, and another path than at the first parent, of those that both evaluate; null: the first
  -- parent is not evaluated
  succeeded integer not null default 0,
  failed integer not null default 0,
  changed integer,
  inputs jsonb,
  nix_version text,
  -- what concerns all its configurations: why it failed, or why it waits to be tried again
  cause text,
  error text,
  -- of a failed one: the cause is not the commit's own, and may be gone at the next poll
  can_heal boolean not null default false,
  unique (flake_id, sha)
);
create index commits_branch on commits (flake_id, position desc, mainline desc) where position is not null;
-- also for the first digits
create index commits_sha on commits (sha text_pattern_ops);
alter table flakes add foreign key (head_commit_id) references commits (id);

-- One configuration at one commit.
create table evaluations (
  id bigint generated always as identity primary key,
  commit_id bigint not null references commits (id),
  configuration text not null,
  status text not null check (status in ('succeeded', 'failed')),
  drv_path text,
  out_path text,
  platform text,
  nixos_version text,
  kernel_version text,
  state_version text,
  -- whether every commit changes its path: system.configurationRevision is set
  embeds_revision boolean,
  cause text,
  error text,
  duration_ms integer not null,
  peak_memory_bytes bigint,
  nix_version text not null,
  evaluated_at timestamptz not null default now(),
  unique (commit_id, configuration),
  check ((status = 'succeeded') = (out_path is not null and drv_path is not null)),
  check ((status = 'failed') = (cause is not null))
);

create index evaluations_configuration on evaluations (configuration, commit_id);
create index evaluations_failed on evaluations (commit_id) where status = 'failed';

-- The paths that mean "runs this evaluation": the system itself and its specialisations.
create table evaluated_paths (
  evaluation_id bigint not null references evaluations (id) on delete cascade,
  -- '' is the system itself
  specialisation text not null,
  out_path text not null,
  primary key (evaluation_id, specialisation)
);
create index evaluated_paths_out_path on evaluated_paths (out_path);

alter table systems
  -- no release has this column: what it held is given as a flake now
  drop column flake_url,
  add column flake_id bigint references flakes (id),
  -- since when it has to run what it has to run
  add column assigned_at timestamptz not null default now();
update systems set assigned_at = created_at;
create index systems_flake on systems (flake_id, coalesce(configuration, hostname));
-- counts over all systems leave these out
create index systems_archived on systems (id) where archived_at is not null;
create index keys_pending on keys (system_id) where status = 'pending';

alter table facts
  -- since when every report says current_system
  add column running_since timestamptz;
update facts set running_since = observed_at;

-- One row a system that is not archived: how what it runs stands to what it should run (fleet/drift.ts). Its row lock is
-- what orders everything that changes it.
create table drift (
  system_id bigint primary key references systems (id),
  state text not null,
  since timestamptz not null,
  -- the state against the newest commit with a good evaluation, where the newest commit has none; else as state
  standing text not null,
  standing_since timestamptz not null,
  reason text,
  running_path text,
  desired_path text,
  running_commit_id bigint references commits (id),
  desired_commit_id bigint references commits (id),
  head_commit_id bigint references commits (id),
  specialisation text,
  -- of wrong_configuration: the one whose system it runs
  configuration text,
  commits_behind integer,
  commits_unknown integer
) with (fillfactor = 80);
alter table drift add constraint drift_states check (
  state in ('no_report', 'unassigned', 'in_sync', 'pinned_mismatch', 'evaluation_failed', 'pending', 'behind', 'off_branch',
    'wrong_configuration', 'unmanaged')
  and standing in ('no_report', 'unassigned', 'in_sync', 'pinned_mismatch', 'evaluation_failed', 'pending', 'behind', 'off_branch',
    'wrong_configuration', 'unmanaged'));
-- for pages: those of one standing the oldest first, all the oldest first, all the worst first (fleet/drift.ts has the order)
create index drift_standing on drift (standing, standing_since, system_id);
create index drift_since on drift (standing_since, system_id);
create index drift_worst on drift ((array_position(array['unmanaged', 'wrong_configuration', 'off_branch', 'pinned_mismatch',
  'behind', 'evaluation_failed', 'pending', 'unassigned', 'no_report', 'in_sync'], standing)), standing_since, system_id);
create index drift_running_path on drift (running_path);
insert into drift (system_id, state, since, standing, standing_since)
select id, 'no_report', created_at, 'no_report', created_at from systems where archived_at is null;

-- How many systems there are of each: what is said of a whole fleet must not take a look at each system. The sum counts;
-- changes are rows of their own, so that nobody waits for another, and are added up from time to time (store/tally.ts).
create table drift_tally (
  id bigint generated always as identity primary key,
  state text not null,
  standing text not null,
  amount bigint not null
);
insert into drift_tally (state, standing, amount) select state, standing, count(*) from drift group by 1, 2;

create function tally_drift() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into drift_tally (state, standing, amount) select state, standing, count(*) from new_rows group by 1, 2;
  elsif tg_op = 'DELETE' then
    insert into drift_tally (state, standing, amount) select state, standing, -count(*) from old_rows group by 1, 2;
  else
    insert into drift_tally (state, standing, amount)
    select state, standing, sum(n)
    from (select state, standing, 1 as n from new_rows union all select state, standing, -1 from old_rows) changed
    group by 1, 2 having sum(n) <> 0;
  end if;
  return null;
end $$;
create trigger tally_drift_inserted after insert on drift
  referencing new table as new_rows for each statement execute function tally_drift();
create trigger tally_drift_updated after update on drift
  referencing old table as old_rows new table as new_rows for each statement execute function tally_drift();
create trigger tally_drift_deleted after delete on drift
  referencing old table as old_rows for each statement execute function tally_drift();

-- What happened, for the timeline of a system and for who watches (GET /api/v1/events).
create table events (
  id bigint generated always as identity primary key,
  -- readers go by (transaction, id): an id alone can become visible after a greater one
  transaction xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  kind text not null check (kind in ('drift', 'flag_raised', 'flag_ended', 'report', 'head', 'evaluation')),
  system_id bigint references systems (id),
  flake_id bigint references flakes (id),
  commit_id bigint references commits (id),
  details jsonb not null
);
create index events_order on events (transaction, id);
create index events_system on events (system_id, at desc, id desc) where system_id is not null;
create index events_at on events using brin (at);

-- A flag that goes up or down is an event, whoever changes it.
create function note_raised_flags() returns trigger language plpgsql as $$
begin
  insert into events (kind, system_id, details)
  select 'flag_raised', system_id, jsonb_build_object('flag', flag) || details from changed;
  return null;
end $$;
create trigger note_raised_flags after insert on flags
  referencing new table as changed for each statement execute function note_raised_flags();

create function note_ended_flags() returns trigger language plpgsql as $$
begin
  insert into events (kind, system_id, details)
  select 'flag_ended', system_id, jsonb_build_object('flag', flag, 'since', since) from changed;
  return null;
end $$;
create trigger note_ended_flags after delete on flags
  referencing old table as changed for each statement execute function note_ended_flags();

-- So is a change of drift, but for `pending`: every push would be two for each system, and what it hides is in standing.
create function note_drift() returns trigger language plpgsql as $$
begin
  insert into events (kind, system_id, details)
  select 'drift', n.system_id, jsonb_build_object(
    'from', case o.state when 'pending' then o.standing else o.state end,
    'to', case n.state when 'pending' then n.standing else n.state end,
    'since', case n.state when 'pending' then n.standing_since else n.since end,
    'running_path', n.running_path, 'desired_path', n.desired_path)
  from new_rows n join old_rows o on o.system_id = n.system_id
  where case o.state when 'pending' then o.standing else o.state end
    is distinct from case n.state when 'pending' then n.standing else n.state end;
  return null;
end $$;
create trigger note_drift after update on drift
  referencing old table as old_rows new table as new_rows for each statement execute function note_drift();

alter table job_runs
  -- when it is due, by who ran it last
  add column next_at timestamptz;

-- Signed webhooks that arrived: a delivery that is repeated does nothing.
create table webhook_deliveries (
  id bigint generated always as identity primary key,
  provider text not null,
  -- the provider's name for it; null: it gave none
  delivery text,
  received_at timestamptz not null default now(),
  event text not null,
  repository text,
  ref text,
  after text,
  -- accepted: the flakes are asked for their heads
  outcome text not null check (outcome in ('accepted', 'ignored')),
  reason text,
  flake_ids bigint[] not null default '{}',
  unique (provider, delivery),
  check ((outcome = 'ignored') = (reason is not null))
);
create index webhook_deliveries_received on webhook_deliveries (received_at);
