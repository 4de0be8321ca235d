-- Systems, their keys, what they last said and the evidence for it.
-- Growing tables carry system_id first in their primary key, so that they can be distributed by it.

create table systems (
  id bigint generated always as identity primary key,
  hostname text not null,
  environment text,
  flake_url text,
  configuration text,
  pinned_path text,
  -- declared in a configuration file: read-only in the API
  declared boolean not null default false,
  archived_at timestamptz,
  created_at timestamptz not null default now()
);
-- host names are compared without case (RFC 4343)
create unique index systems_hostname on systems (lower(hostname));

create table enroll_tokens (
  id bigint generated always as identity primary key,
  name text not null,
  hash bytea not null unique check (octet_length(hash) = 32),
  uses_left integer not null check (uses_left >= 0),
  expires_at timestamptz not null,
  environment text,
  flake_url text,
  hostname text,
  needs_approval boolean not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

-- A key belongs to one system for ever and is never deleted: old evidence needs it.
create table keys (
  id text primary key,
  system_id bigint not null references systems (id),
  public_key bytea not null unique check (octet_length(public_key) = 32),
  status text not null check (status in ('pending', 'active', 'inactive', 'revoked')),
  declared boolean not null default false,
  enroll_token_id bigint references enroll_tokens (id),
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  -- the last accepted sequence number of each endpoint: a request has to be above it
  heartbeat_sequence bigint not null default 0,
  state_sequence bigint not null default 0,
  check ((status = 'revoked') = (revoked_at is not null))
) with (fillfactor = 70);
create index keys_system on keys (system_id);

-- One narrow row a system, made with it. Its row lock is what orders everything a system says, and no index is on
-- what a heartbeat changes, so that heartbeats are HOT updates.
create table contacts (
  system_id bigint primary key references systems (id),
  last_contact timestamptz,
  -- start of the online period that last_contact extends
  online_since timestamptz,
  boot_id uuid,
  -- the boot before this one: to see it again means that two machines share a key
  previous_boot_id uuid,
  interval_secs integer not null default 60,
  -- of this boot, from a heartbeat's uptime; null until one came
  booted_at timestamptz,
  clock_skew_secs bigint not null default 0,
  current_system text,
  -- of the newest accepted report
  state_digest bytea,
  report_id bytea,
  -- a system that ever spoke version 1 can no longer speak version 0
  protocol smallint not null default 0
) with (fillfactor = 70);

-- Ended online periods; the current one is in contacts.
create table online_periods (
  system_id bigint not null references systems (id),
  started_at timestamptz not null,
  ended_at timestamptz not null,
  boot_id uuid,
  primary key (system_id, started_at)
);

-- The evidence: body, signature and covered values exactly as received. A partition a month of receipt;
-- month -infinity is the partition of reports that outlive their month because a present state rests on them.
create table reports (
  system_id bigint not null references systems (id),
  id bytea not null check (octet_length(id) = 32),
  month date not null,
  received_at timestamptz not null,
  observed_at timestamptz not null,
  key_id text not null references keys (id),
  protocol smallint not null,
  sequence bigint not null,
  reason text not null,
  previous bytea,
  dropped bigint not null,
  -- how the report follows the one before it (fleet/chain.ts)
  chain text not null check (chain in ('start', 'continues', 'restart', 'gap', 'fork', 'unchained')),
  body bytea not null,
  method text not null,
  authority text not null,
  path text not null,
  content_digest text,
  signature_input text,
  signature text not null,
  primary key (system_id, id, month)
) partition by list (month);
create index reports_received on reports (system_id, received_at desc);
-- GET /api/v1/reports/{digest}
create index reports_id on reports (id);
create table reports_kept partition of reports for values in ('-infinity');

-- Parsed facts of each system's newest report.
create table facts (
  system_id bigint primary key references systems (id),
  report_id bytea not null,
  received_at timestamptz not null,
  observed_at timestamptz not null,
  hostname text,
  current_system text,
  system jsonb,
  fingerprint jsonb not null
);

create table flags (
  system_id bigint not null references systems (id),
  flag text not null check (flag in ('reboot_needed', 'profile_mismatch', 'identity_conflict', 'chain_broken',
    'history_lost', 'spool_failed', 'clock_skew', 'hostname_changed')),
  since timestamptz not null,
  -- the facts that decide it
  details jsonb not null,
  primary key (system_id, flag)
);

create table api_tokens (
  id bigint generated always as identity primary key,
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  hash bytea not null unique check (octet_length(hash) = 32),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

-- When each recurring job last ran: "never" is an alarm.
create table job_runs (
  name text primary key,
  started_at timestamptz,
  finished_at timestamptz,
  failed_at timestamptz,
  error text
);
