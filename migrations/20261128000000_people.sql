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
