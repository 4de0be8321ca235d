import { sql, type Transaction } from 'kysely'
import { type Drift, judgeDrift } from '../fleet/drift.ts'
import { readDriftFacts } from './drift-facts.ts'
import { prepared } from './prepared.ts'
import type { DB } from './schema.generated.ts'

/** Systems that an event concerns. */
export type DriftScope =
  | { systemId: number }
  | { systemIds: readonly number[] }
  | { flakeId: number }
  /** Those of these configurations of a flake, and all that run one of these paths. */
  | { flakeId: number; configurations: readonly string[]; paths: readonly string[] }

/** Systems judged at once: some megabytes of facts, and a statement of a tenth of a second. */
const CHUNK = 1000

/** Any constant. */
const FLEET_LOCK = 5_290_002

/**
 * Makes what `commits` and their evaluations say, and what `systems` run and have to run, change one after the other:
 * whoever comes second sees what the first has done, also for a system or a path that the first does not know of. Many
 * may change systems at once. Taken after a system's contact and key, and before flakes, systems and drift; only the
 * approval of keys takes it before them. A batch with a report of such a key, behind a change of commits that waits for the
 * approval, may wait for deadlock_timeout then: PostgreSQL lets it pass that change.
 */
export async function lockFleet(transaction: Transaction<DB>, changes: 'systems' | 'commits'): Promise<void> {
  await (
    changes === 'systems'
      ? sql`select pg_advisory_xact_lock_shared(${FLEET_LOCK})`
      : sql`select pg_advisory_xact_lock(${FLEET_LOCK})`
  ).execute(transaction)
}

/**
 * Judges the systems anew, in the transaction of the event that concerns them. Locks their drift rows in the order of
 * their ids first: what another transaction that holds one has changed is seen once its lock is had, so that whoever
 * comes last judges by everything. Archived systems have no row and are left out. Returns how many rows changed.
 */
export async function updateDrift(transaction: Transaction<DB>, scope: DriftScope): Promise<number> {
  const systemIds = await lock(transaction, scope)
  let changed = 0
  for (let start = 0; start < systemIds.length; start += CHUNK) {
    const facts = await readDriftFacts(transaction, systemIds.slice(start, start + CHUNK))
    const judged = facts.map(({ systemId, ...rest }) => ({ systemId, drift: judgeDrift(rest) }))
    changed += await write(transaction, judged)
  }
  return changed
}

/** Gives a system that is new, or no longer archived, its row, and judges it by what it has to run now. */
export async function startDrift(transaction: Transaction<DB>, systemId: number): Promise<void> {
  await sql`
    insert into drift (system_id, state, since, standing, standing_since)
    select id, 'no_report', created_at, 'no_report', created_at from systems where id = ${systemId}
    on conflict do nothing`.execute(transaction)
  await updateDrift(transaction, { systemId })
}

/** Takes away the row of a system that is archived. */
export async function endDrift(transaction: Transaction<DB>, systemId: number): Promise<void> {
  await transaction.deleteFrom('drift').where('system_id', '=', systemId).execute()
}

async function lock(transaction: Transaction<DB>, scope: DriftScope): Promise<number[]> {
  // how many a flake has is worth a plan of its own
  const { rows } = await sql<{ system_id: number }>`${'systemIds' in scope ? prepared : sql``}
    select d.system_id from drift d join systems s on s.id = d.system_id
    where ${condition(scope)}
    order by d.system_id
    for no key update of d`.execute(transaction)
  return rows.map((row) => row.system_id)
}

function condition(scope: DriftScope) {
  if ('systemId' in scope) return sql`d.system_id = ${scope.systemId}`
  if ('systemIds' in scope) return sql`d.system_id = any(${scope.systemIds}::bigint[])`
  if (!('configurations' in scope)) return sql`s.flake_id = ${scope.flakeId}`
  return sql`d.system_id in (
    select id from systems
    where flake_id = ${scope.flakeId} and coalesce(configuration, hostname) = any(${scope.configurations}::text[])
    union
    select system_id from drift where running_path = any(${scope.paths}::text[]))`
}

/** Writes the rows that differ. */
async function write(
  transaction: Transaction<DB>,
  judged: readonly { systemId: number; drift: Drift }[],
): Promise<number> {
  const rows = judged.map(({ systemId, drift }) => ({
    system_id: systemId,
    state: drift.state,
    since: new Date(drift.since),
    standing: drift.standing,
    standing_since: new Date(drift.standingSince),
    reason: drift.reason,
    running_path: drift.runningPath,
    desired_path: drift.desiredPath,
    running_commit_id: drift.runningCommitId,
    desired_commit_id: drift.desiredCommitId,
    head_commit_id: drift.headCommitId,
    specialisation: drift.specialisation,
    configuration: drift.configuration,
    commits_behind: drift.commitsBehind,
    commits_unknown: drift.commitsUnknown,
  }))
  const result = await sql`${prepared}
    update drift d set
      state = n.state, since = n.since, standing = n.standing, standing_since = n.standing_since, reason = n.reason,
      running_path = n.running_path, desired_path = n.desired_path, running_commit_id = n.running_commit_id,
      desired_commit_id = n.desired_commit_id, head_commit_id = n.head_commit_id, specialisation = n.specialisation,
      configuration = n.configuration, commits_behind = n.commits_behind, commits_unknown = n.commits_unknown
    from jsonb_populate_recordset(null::drift, ${JSON.stringify(rows)}::jsonb) n
    -- the planner knows how many are named, but not how many are in the document
    where d.system_id = any(${judged.map(({ systemId }) => systemId)}::bigint[])
      and d.system_id = n.system_id and d is distinct from n`.execute(transaction)
  return Number(result.numAffectedRows ?? 0)
}
