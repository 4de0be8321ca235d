-- Who uses Crystal Forge, and who changed what.

-- Every change that somebody made, written in the transaction of the change (store/audit.ts). Names are copies: they stay when
-- what they name is gone.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor_kind text not null
    check (actor_kind in ('user', 'token', 'agent', 'configuration', 'command', 'system')),
  -- of a user or token its id, of an agent that of its key; null: the kind has none
  actor_id text,
  actor_name text not null,
  -- the role it had then
  role text check (role in ('viewer', 'operator', 'admin')),
  -- that the request came from
  address text,
  -- one of store/audit-actions.ts
  action text not null,
  subject_kind text not null,
  subject_id text,
  subject_name text not null,
  -- what is different; null: it was not there, or is not any more, or the action changes nothing that is stored
  before jsonb,
  after jsonb
);
create index audit_at on audit (at);
create index audit_action on audit (action, id);
create index audit_actor on audit (actor_name, id);
create index audit_subject on audit (lower(subject_name), id);

-- Records are neither changed nor removed, but for the job that forgets those older than [retention] audit, which says so.
create function keep_audit() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('crystal_forge.audit_retention', true) = 'on' then
    return null;
  end if;
  raise exception 'records of the audit trail are never changed or removed' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_audit before update or delete or truncate on audit
  for each statement execute function keep_audit();

-- Who signs in. The name is what one signs in with, in any case of letters.
create table users (
  id bigint generated always as identity primary key,
  name text not null check (name <> ''),
  display_name text not null default '',
  role text not null check (role in ('viewer', 'operator', 'admin')),
  -- PHC string (store/users.ts); null: signs in otherwise, or has not used the link yet
  password text,
  -- of the OpenID provider, and whom it names; null: signs in with a password
  issuer text,
  subject text,
  disabled_at timestamptz,
  last_sign_in_at timestamptz,
  created_at timestamptz not null default now(),
  check ((issuer is null) = (subject is null))
);
create unique index users_name on users (lower(name));
create unique index users_subject on users (issuer, subject);

create table sessions (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  -- SHA-256 of the cookie's value
  hash bytea not null unique check (octet_length(hash) = 32),
  address text not null,
  created_at timestamptz not null default now(),
  -- written at most every 5 minutes
  last_used_at timestamptz not null default now(),
  -- whatever its use
  expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

-- Links that work once: to make the first administrator, or to choose a password.
create table one_time_links (
  -- SHA-256 of the token
  hash bytea primary key check (octet_length(hash) = 32),
  -- whose password; null: the set-up
  user_id bigint unique references users on delete cascade,
  -- null: as long as there is no user
  expires_at timestamptz
);
create unique index one_time_links_set_up on one_time_links ((user_id is null)) where user_id is null;

-- Failed sign-ins, of an account from an address, of an account, and of an address (store/sign-in-failures.ts).
create table sign_in_failures (
  -- SHA-256 of what it counts: names that people mistype may be passwords
  subject bytea primary key,
  failures integer not null,
  last_at timestamptz not null default now()
);
create index sign_in_failures_at on sign_in_failures (last_at);

-- Sign-ins that are at the OpenID Connect provider; each is taken once (store/oidc-logins.ts).
create table oidc_logins (
  -- SHA-256 of the state
  state_hash bytea primary key check (octet_length(state_hash) = 32),
  -- SHA-256 of what the browser that began it holds in a cookie
  browser_hash bytea not null check (octet_length(browser_hash) = 32),
  nonce text not null,
  code_verifier text not null,
  return_to text not null,
  expires_at timestamptz not null
);
create index oidc_logins_expiry on oidc_logins (expires_at);
