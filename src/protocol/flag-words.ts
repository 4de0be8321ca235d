/** What each flag says about its system, for a reader who sees it for the first time. */
export const FLAG_WORDS = {
  reboot_needed: 'what was booted is not what the system profile has; it takes effect with a reboot',
  profile_mismatch: 'it runs another system than its profile has',
  identity_conflict: 'two machines seem to report with one key',
  chain_broken: 'a report does not follow the one before it: reports were lost, copied or made anew',
  history_lost: 'the agent knows of an accepted report that this server does not have',
  spool_failed: 'the agent cannot write its spool: reports may get lost when the server is away',
  clock_skew: "its clock differs from the server's by 30 s or more",
  hostname_changed: 'it reports another host name than it is registered under',
} as const

const MISMATCH_KINDS: Readonly<Record<string, string>> = {
  test: 'it runs a system that was activated without being the profile; gone after a reboot',
  staged: 'its profile was changed after the boot; that system comes with the next one',
  old_generation: 'an older generation than the profile was booted',
}

/** What a flag means, with the kind that its details name; one that says so of a flag that this version does not know. */
export function sayFlag(flag: string, details: unknown): string {
  const kind = flag === 'profile_mismatch' ? recordOf(details)['kind'] : undefined
  const named = typeof kind === 'string' ? MISMATCH_KINDS[kind] : undefined
  return named ?? (isWorded(flag) ? FLAG_WORDS[flag] : 'not known to this version')
}

/** The facts that decide a flag, each with its name in words; null: not known. */
export function flagFacts(details: unknown): [name: string, value: string | null][] {
  return Object.entries(recordOf(details))
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => [name.replaceAll('_', ' '), textOf(value)])
}

function textOf(value: unknown): string | null {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function recordOf(details: unknown): Readonly<Record<string, unknown>> {
  return typeof details === 'object' && details !== null ? { ...details } : {}
}

function isWorded(flag: string): flag is keyof typeof FLAG_WORDS {
  return Object.hasOwn(FLAG_WORDS, flag)
}
