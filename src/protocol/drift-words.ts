/** What each drift state says of its system, as a sentence without a subject. */
export const DRIFT_WORDS = {
  unmanaged: 'runs a system that none of the searched commits gives',
  wrong_configuration: 'runs the system of another configuration',
  off_branch: 'runs the system of a commit that the branch does not have',
  pinned_mismatch: 'does not run the path it is pinned to',
  behind: 'runs the system of an older commit',
  evaluation_failed: 'no commit gives a system for it',
  pending: 'not known yet: what it has to run is still evaluated',
  unassigned: 'nothing says what it has to run: give it a flake or a pinned path',
  no_report: 'it has not reported what it runs',
  in_sync: 'runs what it has to run',
} as const

/** What of a system's drift decides the sentence. */
export interface WordedDrift {
  standing: string
  reason: string | null
  configuration: string | null
  commits_behind: number | null
  commits_unknown: number | null
}

/** Why a system stands where it stands, in a sentence; one that says so of a standing that this version does not know. */
export function sayStanding({
  standing,
  reason,
  configuration,
  commits_behind: behind,
  commits_unknown: unknown,
}: WordedDrift): string {
  if (standing === 'behind' && behind !== null) {
    const without = unknown === null || unknown === 0 ? '' : `, and ${unknown} without a result`
    return `${behind} later ${behind === 1 ? 'commit changes' : 'commits change'} what it has to run${without}`
  }
  if (standing === 'wrong_configuration' && configuration !== null)
    return `runs the system of the configuration ${configuration}`
  if (reason === 'not_in_flake' && standing === 'evaluation_failed')
    return 'the flake has no configuration of its name'
  if (reason === 'searching' && standing === 'pending')
    return 'not known yet: older commits are evaluated to find what it runs'
  if (reason === 'unreadable' && standing === 'no_report') return 'its reports do not say what it runs'
  return isWorded(standing) ? DRIFT_WORDS[standing] : 'not known to this version'
}

/** What became of the newest commit for a system, where that has no result; null where nothing is to be said. */
export function sayHead({ state, reason }: { state: string; reason: string | null }): string | null {
  if (state === 'pending') return 'not evaluated for it yet'
  if (state !== 'evaluation_failed') return null
  return reason === 'not_in_flake'
    ? 'has no configuration of its name'
    : 'its evaluation fails for this system'
}

function isWorded(standing: string): standing is keyof typeof DRIFT_WORDS {
  return Object.hasOwn(DRIFT_WORDS, standing)
}
