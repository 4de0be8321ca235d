import { sayHead, sayStanding } from '../protocol/drift-words.ts'
import type { ApiListedSystem } from './api.ts'
import { type Entry, formatEntries } from './sections.ts'
import { formatTime } from './times.ts'
import { shortSha } from './short-sha.ts'

export type ApiDrift = NonNullable<ApiListedSystem['drift']>
type ApiCommit = ApiDrift['head_commit']

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
  const why = sayStanding(drift)
  return drift.standing === 'unassigned' ? `${why} (systems set)` : why
}

function pathLines(path: string | null, commit: ApiCommit, specialisation: string | null): string | string[] {
  if (path === null) return 'unknown'
  const named = specialisation === null ? path : `${path} (specialisation ${specialisation})`
  return commit === null ? named : [named, commitText(commit)]
}

/** Only where the newest commit is not the one that decides. */
function headEntry(drift: ApiDrift, now: number): Entry[] {
  const { head_commit, desired_commit, since } = drift
  if (head_commit === null || head_commit.id === desired_commit?.id) return []
  const text = sayHead(drift)
  return [
    [
      'head',
      [commitText(head_commit), ...(text === null ? [] : [`${text}, since ${formatTime(since, now) ?? ''}`])],
    ],
  ]
}

function commitText({ sha, subject, position }: NonNullable<ApiCommit>): string {
  return `commit ${shortSha(sha)} ${subject ?? ''}${position === null ? ' (not on the branch)' : ''}`
}
