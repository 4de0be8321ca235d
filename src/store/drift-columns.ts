import { type RawBuilder, sql } from 'kysely'
import { DRIFT_STATES, type DriftReason, type DriftState } from '../fleet/drift.ts'

/** A commit as it is named beside what it decides. `position` null: the branch does not have it (any more). */
export interface CommitName {
  id: number
  sha: string
  subject: string | null
  position: number | null
}

/** How a system stands to what it should run, as it is shown. */
export interface ShownDrift {
  state: DriftState
  since: Date
  /** The state against the newest good commit, where the newest commit has none. */
  standing: DriftState
  standing_since: Date
  reason: DriftReason | null
  running_path: string | null
  desired_path: string | null
  running_commit: CommitName | null
  desired_commit: CommitName | null
  head_commit: CommitName | null
  specialisation: string | null
  /** Of `wrong_configuration`: the one whose system it runs. */
  configuration: string | null
  commits_behind: number | null
  commits_unknown: number | null
}

/** What `driftColumns` selects. */
export interface DriftColumns extends Omit<ShownDrift, 'state' | 'since' | 'configuration'> {
  /** Null: there is no row, as the system is archived. */
  drift_state: DriftState | null
  drift_since: Date
  runs_configuration: string | null
}

/** Columns of a row `d` of `drift`. */
export const driftColumns = sql`
  d.state as drift_state, d.since as drift_since, d.standing, d.standing_since, d.reason, d.running_path, d.desired_path,
  ${commitName(sql`d.running_commit_id`)} as running_commit, ${commitName(sql`d.desired_commit_id`)} as desired_commit,
  ${commitName(sql`d.head_commit_id`)} as head_commit,
  d.specialisation, d.configuration as runs_configuration, d.commits_behind, d.commits_unknown`

function commitName(id: RawBuilder<unknown>) {
  return sql`(
    select jsonb_build_object('id', c.id, 'sha', c.sha, 'subject', c.subject, 'position', c.position)
    from commits c where c.id = ${id})`
}

/** Takes the drift out of a row and puts it into one member; null for an archived system. */
export function withDrift<Row extends DriftColumns>(row: Row) {
  const {
    drift_state: state,
    drift_since: since,
    standing,
    standing_since,
    reason,
    running_path,
    desired_path,
    running_commit,
    desired_commit,
    head_commit,
    specialisation,
    runs_configuration: configuration,
    commits_behind,
    commits_unknown,
    ...rest
  } = row
  if (state === null) return { ...rest, drift: null }
  const drift: ShownDrift = {
    state,
    since,
    standing,
    standing_since,
    reason,
    running_path,
    desired_path,
    running_commit,
    desired_commit,
    head_commit,
    specialisation,
    configuration,
    commits_behind,
    commits_unknown,
  }
  return { ...rest, drift }
}

/** The place of a standing among `DRIFT_STATES`, from 1, in the words of the index `drift_worst`. */
export const standingRank = sql<number>`array_position(array[${sql.raw(
  DRIFT_STATES.map((state) => `'${state}'`).join(', '),
)}], d.standing)`
