import { type Flag, FLAGS, STICKY_FLAGS } from '../fleet/flags.ts'
import { flagFacts, sayFlag } from '../protocol/flag-words.ts'
import type { ApiSystem } from './api.ts'
import { formatEntries } from './sections.ts'
import { formatTime } from './times.ts'

type ApiFlag = ApiSystem['flags'][number]

/** The flags of a system: each with what it means, since when, and the facts that decide it. */
export function formatFlags(hostname: string, flags: readonly ApiFlag[], now: number): string {
  if (flags.length === 0) return 'FLAGS\n  none\n'
  return `FLAGS\n${flags.map((flag) => formatFlag(hostname, flag, now)).join('')}`
}

function formatFlag(hostname: string, { flag, since, details }: ApiFlag, now: number): string {
  const entries = [
    ['since', formatTime(since, now)] as const,
    ...flagFacts(details),
    ...(isSticky(flag)
      ? [['stays until', `crystal-forge systems acknowledge ${hostname} ${flag}`] as const]
      : []),
  ]
  return `  ${flag}: ${sayFlag(flag, details)}\n${formatEntries(entries, '    ')}`
}

/** Flags of a newer server are not in the list. */
function isSticky(flag: Flag): boolean {
  return FLAGS.includes(flag) && STICKY_FLAGS.includes(flag)
}
