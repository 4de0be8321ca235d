/** The states of docs/drift.md, the ones to look at first. */
export const DRIFT_STATES = [
  'unmanaged',
  'wrong_configuration',
  'off_branch',
  'pinned_mismatch',
  'behind',
  'evaluation_failed',
  'pending',
  'unassigned',
  'no_report',
  'in_sync',
] as const
export type DriftState = (typeof DRIFT_STATES)[number]

/**
 * - `searching`: commits are still to be evaluated before it can be said that none gives what the system runs
 * - `not_in_flake`: the newest commit has no such configuration
 * - `unreadable`: its reports do not say what it runs
 */
export type DriftReason = 'searching' | 'not_in_flake' | 'unreadable'

/** A commit of the branch. `position` is counted from the first commit; times are milliseconds since the epoch. */
export interface BranchCommit {
  id: number
  position: number
  arrivedAt: number
}

/** What the rules look at, of one system. Times are milliseconds since the epoch. */
export interface DriftFacts {
  registeredAt: number
  /** Since when it has to run what it has to run. */
  assignedAt: number
  pinnedPath: string | null
  hasReported: boolean
  /** What its newest report says it runs, and since when its reports say so. */
  running: { path: string; since: number } | null
  /** Null without a flake. */
  branch: BranchFacts | null
}

/** The branch of the system's flake, as far as its own configuration goes. */
export interface BranchFacts {
  /** The newest commit; null before the first sync. */
  head: (BranchCommit & { outcome: HeadOutcome }) | null
  /** The newest commit with a good evaluation: `path` is what the system should run. */
  good: (BranchCommit & { path: string }) | null
  /** When the first failed commit after `good` arrived, or the first of all; null when none failed. */
  failedSince: number | null
  /** The newest commit of which the system runs the evaluated system or a specialisation of it. */
  match: Match | null
  /** A commit the branch does not have, or another configuration, that gives what the system runs. */
  elsewhere: Elsewhere | null
  /** Commits within the search depth, newest first, that are not evaluated for it. */
  unsearched: readonly BranchCommit[]
}

/** `pending`: not evaluated yet; `not_in_flake`: it has no such configuration. */
export type HeadOutcome = 'succeeded' | 'failed' | 'not_in_flake' | 'pending'

export interface Match extends BranchCommit {
  /** Null is the system itself. */
  specialisation: string | null
  /** When the first of the unbroken run of good evaluations up to this one that give what the system runs arrived. */
  runArrivedAt: number
  /** The output paths of the good evaluations from this one to `good`, this one's first, oldest first. */
  until: readonly { path: string; arrivedAt: number }[]
  /** Commits between this one and `good` without a result. */
  unknown: number
}

export interface Elsewhere {
  state: 'off_branch' | 'wrong_configuration'
  commitId: number
  specialisation: string | null
  /** The configuration that gives the path. */
  configuration: string
  /** When the branch lost the commit; null when it never had it. */
  leftAt: number | null
}

/** How a system stands to what it should run, with all that decides it. Times are milliseconds since the epoch. */
export interface Drift {
  state: DriftState
  since: number
  /** The state against the newest good commit where the newest commit has no good evaluation; else the state. */
  standing: DriftState
  standingSince: number
  reason: DriftReason | null
  runningPath: string | null
  desiredPath: string | null
  runningCommitId: number | null
  desiredCommitId: number | null
  headCommitId: number | null
  specialisation: string | null
  /** Of `wrong_configuration`: whose system it runs. */
  configuration: string | null
  commitsBehind: number | null
  commitsUnknown: number | null
}

/** Decides the drift of one system by docs/drift.md: the first match wins. */
export function judgeDrift(facts: DriftFacts): Drift {
  const { branch, running, pinnedPath } = facts
  const verdict = judge(facts)
  return {
    ...NOTHING,
    runningPath: running?.path ?? null,
    desiredPath: pinnedPath ?? branch?.good?.path ?? null,
    desiredCommitId: pinnedPath === null ? (branch?.good?.id ?? null) : null,
    headCommitId: branch?.head?.id ?? null,
    standing: verdict.state,
    standingSince: verdict.since,
    ...verdict,
  }
}

function judge({ registeredAt, assignedAt, pinnedPath, hasReported, running, branch }: DriftFacts): Verdict {
  if (running === null)
    return { state: 'no_report', since: registeredAt, reason: hasReported ? 'unreadable' : null }
  const since = Math.max(assignedAt, running.since)
  if (pinnedPath !== null)
    return { state: pinnedPath === running.path ? 'in_sync' : 'pinned_mismatch', since }
  if (branch === null) return { state: 'unassigned', since }
  const unsettled = judgeHead(branch, assignedAt)
  const standing = judgeStanding(branch, running.since, since)
  if (standing === null) return unsettled ?? { state: 'pending', since }
  return unsettled === null
    ? standing
    : { standing: standing.state, standingSince: standing.since, ...standing, ...unsettled }
}

type Verdict = Pick<Drift, 'state' | 'since'> & Partial<Drift>

const NOTHING = {
  reason: null,
  runningCommitId: null,
  specialisation: null,
  configuration: null,
  commitsBehind: null,
  commitsUnknown: null,
}

/** What keeps the newest commit from saying what to run; null when nothing does. */
function judgeHead({ head, failedSince }: BranchFacts, assignedAt: number): Verdict | null {
  if (head === null) return { state: 'pending', since: assignedAt, reason: null }
  if (head.outcome === 'succeeded') return null
  if (head.outcome === 'pending')
    return { state: 'pending', since: Math.max(assignedAt, head.arrivedAt), reason: null }
  return {
    state: 'evaluation_failed',
    since: Math.max(assignedAt, failedSince ?? head.arrivedAt),
    reason: head.outcome === 'not_in_flake' ? 'not_in_flake' : null,
  }
}

/** How what runs stands to the newest good commit; null when there is none. `since` is when both sides were as they are. */
function judgeStanding(branch: BranchFacts, runningSince: number, since: number): Verdict | null {
  const { good, match, elsewhere } = branch
  if (good === null) return null
  if (match !== null) return judgeMatch(match, good, since)
  if (elsewhere !== null)
    return {
      state: elsewhere.state,
      since: Math.max(since, elsewhere.leftAt ?? since),
      runningCommitId: elsewhere.commitId,
      specialisation: elsewhere.specialisation,
      configuration: elsewhere.state === 'wrong_configuration' ? elsewhere.configuration : null,
    }
  if (branch.unsearched.length === 0) return { state: 'unmanaged', since }
  // what arrived after it began to run this does not explain it: the search that a push begins must not hide drift
  const mayExplain = branch.unsearched.some(({ arrivedAt }) => arrivedAt <= runningSince)
  const standing = mayExplain ? {} : { standing: 'unmanaged' as const, standingSince: since }
  return { state: 'pending', since, reason: 'searching', ...standing }
}

function judgeMatch(match: Match, good: BranchCommit, since: number): Verdict {
  const found = { runningCommitId: match.id, specialisation: match.specialisation }
  if (match.id === good.id) return { state: 'in_sync', since: Math.max(since, match.runArrivedAt), ...found }
  const changes = match.until.filter(({ path }, index, all) => index > 0 && path !== all[index - 1]?.path)
  return {
    state: 'behind',
    since: Math.max(since, changes[0]?.arrivedAt ?? since),
    commitsBehind: changes.length,
    commitsUnknown: match.unknown,
    ...found,
  }
}
