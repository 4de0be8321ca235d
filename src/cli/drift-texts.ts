import type { DriftState } from '../fleet/drift.ts'
import type { ApiListedSystem } from './api.ts'
import { type Entry, formatEntries } from './sections.ts'
import { formatTime } from './times.ts'
import { shortSha } from './short-sha.ts'

export type ApiDrift = NonNullable<ApiListedSystem['drift']>
type ApiCommit = ApiDrift['head_commit']

const MEANINGS: Record<DriftState, string> = {
  unmanaged: 'runs a system that none of the searched commits gives',
  wrong_configuration: 'runs the system of another configuration',
  off_branch: 'runs the system of a commit that the branch does not have',
  pinned_mismatch: 'does not run the path it is pinned to',
  behind: 'runs the system of an older commit',
  evaluation_failed: 'no commit gives a system for it',
  pending: 'not known yet: what it has to run is still evaluated',
  unassigned: 'nothing says what it has to run: give it a flake or a pinned path (systems set)',
  no_report: 'it has not reported what it runs',
  in_sync: 'runs what it has to run',
}

/** For a column: the standing, and the state of the newest commit where that has none. */
export function driftWord(drift: ApiListedSystem['drift']): string | null {
  if (drift === null) return null
  const { standing, state, commits_behind } = drift
  const word = standing === 'behind' && commits_behind !== null ? `behind by ${commits_behind}` : standing
  return state === standing ? word : `${word} (${state})`
}

/** What a system runs, what it should run, and since when that differs, below `indent`. */
export function formatDrift(drift: ApiDrift, now: number, indent: string): string {
  return formatEntries(driftEntries(drift, now), indent)
}

function driftEntries(drift: ApiDrift, now: number): Entry[] {
  const { standing, standing_since, running_path, desired_path, running_commit, desired_commit } = drift
  return [
    [standing.replaceAll('_', ' '), [whyText(drift), `since ${formatTime(standing_since, now) ?? ''}`]],
    ['runs', pathLines(running_path, running_commit, drift.specialisation)],
    ...(desired_path === null
      ? []
      : [['should run', pathLines(desired_path, desired_commit, null)] as const]),
    ...headEntry(drift, now),
  ]
}

function whyText(drift: ApiDrift): string {
  const { standing, reason, configuration, commits_behind, commits_unknown } = drift
  if (standing === 'behind' && commits_behind !== null) {
    const unknown =
      commits_unknown === null || commits_unknown === 0 ? '' : `, and ${commits_unknown} without a result`
    return `${commits_behind} later ${commits_behind === 1 ? 'commit changes' : 'commits change'} what it has to run${unknown}`
  }
  if (standing === 'wrong_configuration' && configuration !== null)
    return `runs the system of the configuration ${configuration}`
  if (reason === 'not_in_flake' && standing === 'evaluation_failed')
    return 'the flake has no configuration of its name'
  if (reason === 'searching' && standing === 'pending')
    return 'not known yet: older commits are evaluated to find what it runs'
  if (reason === 'unreadable' && standing === 'no_report') return 'its reports do not say what it runs'
  return MEANINGS[standing] ?? 'not known to this version'
}

function pathLines(path: string | null, commit: ApiCommit, specialisation: string | null): string | string[] {
  if (path === null) return 'unknown'
  const named = specialisation === null ? path : `${path} (specialisation ${specialisation})`
  return commit === null ? named : [named, commitText(commit)]
}

/** Only where the newest commit is not the one that decides. */
function headEntry({ head_commit, desired_commit, state, since, reason }: ApiDrift, now: number): Entry[] {
  if (head_commit === null || head_commit.id === desired_commit?.id) return []
  const why: Partial<Record<DriftState, string>> = {
    pending: 'not evaluated for it yet',
    evaluation_failed:
      reason === 'not_in_flake' ? 'has no configuration of its name' : 'its evaluation fails for this system',
  }
  const text = why[state]
  return [
    [
      'head',
      [
        commitText(head_commit),
        ...(text === undefined ? [] : [`${text}, since ${formatTime(since, now) ?? ''}`]),
      ],
    ],
  ]
}

function commitText({ sha, subject, position }: NonNullable<ApiCommit>): string {
  return `commit ${shortSha(sha)} ${subject ?? ''}${position === null ? ' (not on the branch)' : ''}`
}
