-- What the pages of the dashboard ask for.

-- for what needs attention: those of one flag the oldest first, systems that the newest commit fails for the oldest first
create index flags_oldest on flags (flag, since, system_id);
create index drift_failed on drift (since, system_id) where state = 'evaluation_failed';

-- for what happened in the fleet: reports are most of the events, and news of none
create index events_activity on events (id) where kind <> 'report';

-- The counts of the fleet at each quarter of an hour (store/fleet-history.ts).
create table fleet_history (
  at timestamptz primary key,
  -- a FleetSummary
  counts jsonb not null
);

-- Our own processes: each says every 30 s that it is there (store/instances.ts).
create table instances (
  id uuid primary key,
  kind text not null check (kind in ('server', 'evaluator')),
  host text not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
