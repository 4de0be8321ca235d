import { sql } from 'kysely'
import { DRIFT_STATES, type DriftReason, type DriftState } from '../fleet/drift.ts'

/** A commit as it is named beside what it decides. `position` null: the branch does not have it (any more). */
export interface CommitName {
  id: number
  /** What a system runs may be a commit of another flake than its own. */
  flake_id: number
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

/** Columns of a row `d` of `drift`, and of its commits (`driftCommits`). */
export const driftColumns = sql`
  d.state as drift_state, d.since as drift_since, d.standing, d.standing_since, d.reason, d.running_path, d.desired_path,
  ${commitName('running_commit')} as running_commit, ${commitName('desired_commit')} as desired_commit,
  ${commitName('head_commit')} as head_commit,
  d.specialisation, d.configuration as runs_configuration, d.commits_behind, d.commits_unknown`

/** Joined rather than looked up row by row: many systems have few commits between them. */
export const driftCommits = sql`
  left join commits running_commit on running_commit.id = d.running_commit_id
  left join commits desired_commit on desired_commit.id = d.desired_commit_id
  left join commits head_commit on head_commit.id = d.head_commit_id`

function commitName(table: string) {
  const column = (name: string) => sql.ref(`${table}.${name}`)
  return sql`case when ${column('id')} is not null then jsonb_build_object(
    'id', ${column('id')}, 'flake_id', ${column('flake_id')}, 'sha', ${column('sha')},
    'subject', ${column('subject')}, 'position', ${column('position')}) end`
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
