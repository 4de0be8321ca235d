import { type Flag, FLAGS, STICKY_FLAGS } from '../fleet/flags.ts'
import type { ApiSystem } from './api.ts'
import { formatEntries } from './sections.ts'
import { formatTime } from './times.ts'

type ApiFlag = ApiSystem['flags'][number]

/** What each flag says about its system, for a reader who sees it for the first time. */
const MEANINGS: Record<Flag, string> = {
  reboot_needed: 'what was booted is not what the system profile has; it takes effect with a reboot',
  profile_mismatch: 'it runs another system than its profile has',
  identity_conflict: 'two machines seem to report with one key',
  chain_broken: 'a report does not follow the one before it: reports were lost, copied or made anew',
  history_lost: 'the agent knows of an accepted report that this server does not have',
  spool_failed: 'the agent cannot write its spool: reports may get lost when the server is away',
  clock_skew: "its clock differs from the server's by 30 s or more",
  hostname_changed: 'it reports another host name than it is registered under',
}

const MISMATCH_KINDS: Record<string, string> = {
  test: 'it runs a system that was activated without being the profile; gone after a reboot',
  staged: 'its profile was changed after the boot; that system comes with the next one',
  old_generation: 'an older generation than the profile was booted',
}

/** The flags of a system: each with what it means, since when, and the facts that decide it. */
export function formatFlags(hostname: string, flags: readonly ApiFlag[], now: number): string {
  if (flags.length === 0) return 'FLAGS\n  none\n'
  return `FLAGS\n${flags.map((flag) => formatFlag(hostname, flag, now)).join('')}`
}

function formatFlag(hostname: string, { flag, since, details }: ApiFlag, now: number): string {
  const facts = Object.entries(toRecord(details)).filter(([name]) => name !== 'kind')
  const entries = [
    ['since', formatTime(since, now)] as const,
    ...facts.map(([name, value]) => [name.replaceAll('_', ' '), textOf(value)] as const),
    ...(isSticky(flag)
      ? [['stays until', `crystal-forge systems acknowledge ${hostname} ${flag}`] as const]
      : []),
  ]
  return `  ${flag}: ${meaningOf(flag, details)}\n${formatEntries(entries, '    ')}`
}

function meaningOf(flag: Flag, details: unknown): string {
  const kind = flag === 'profile_mismatch' ? toRecord(details)['kind'] : undefined
  return (
    (typeof kind === 'string' ? MISMATCH_KINDS[kind] : undefined) ??
    MEANINGS[flag] ??
    'not known to this version'
  )
}

/** Flags of a newer server are not in the list. */
function isSticky(flag: Flag): boolean {
  return FLAGS.includes(flag) && STICKY_FLAGS.includes(flag)
}

function toRecord(details: unknown): Record<string, unknown> {
  return typeof details === 'object' && details !== null ? { ...details } : {}
}

function textOf(value: unknown): string | null {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
