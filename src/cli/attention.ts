import type { DriftState } from '../fleet/drift.ts'
import type { Flag } from '../fleet/flags.ts'
import type { Api, ApiSummary, SystemFilter } from './api.ts'

/** Something that is the case for `count` systems, with the first of their names. */
export interface Attention {
  what: string
  count: number
  hostnames: string[]
}

/** Names of a line: more than fit on a screen help nobody. */
const NAMES = 20

type Source =
  | { what: string; kind: 'flag'; flag: Flag }
  | { what: string; kind: 'liveness'; liveness: 'late' | 'offline' | 'never_seen' }
  | { what: string; kind: 'standing'; standing: DriftState }
  | { what: string; kind: 'drift'; drift: DriftState }
  | { what: string; kind: 'pending-keys' }

/**
 * The worst first: evidence that cannot be trusted, then systems that say nothing, then those that run what nobody can
 * explain, then what waits for a person, then what is only not as it should be.
 */
const SOURCES: readonly Source[] = [
  { what: 'identity conflict', kind: 'flag', flag: 'identity_conflict' },
  { what: 'history lost', kind: 'flag', flag: 'history_lost' },
  { what: 'chain broken', kind: 'flag', flag: 'chain_broken' },
  { what: 'offline', kind: 'liveness', liveness: 'offline' },
  { what: 'unmanaged', kind: 'standing', standing: 'unmanaged' },
  { what: 'wrong configuration', kind: 'standing', standing: 'wrong_configuration' },
  { what: 'off branch', kind: 'standing', standing: 'off_branch' },
  { what: 'pinned mismatch', kind: 'standing', standing: 'pinned_mismatch' },
  { what: 'key waits for approval', kind: 'pending-keys' },
  { what: 'spool failed', kind: 'flag', flag: 'spool_failed' },
  // whatever they stand at: nothing new reaches them
  { what: 'evaluation failed', kind: 'drift', drift: 'evaluation_failed' },
  { what: 'behind', kind: 'standing', standing: 'behind' },
  { what: 'late', kind: 'liveness', liveness: 'late' },
  { what: 'host name changed', kind: 'flag', flag: 'hostname_changed' },
  { what: 'clock skew', kind: 'flag', flag: 'clock_skew' },
  { what: 'profile mismatch', kind: 'flag', flag: 'profile_mismatch' },
  { what: 'reboot needed', kind: 'flag', flag: 'reboot_needed' },
  { what: 'never seen', kind: 'liveness', liveness: 'never_seen' },
]

/** What of the fleet needs somebody, the worst first. Asks only for the names of what `summary` counts. */
export async function listAttention(api: Api, summary: ApiSummary): Promise<Attention[]> {
  const counted = SOURCES.filter((source) => countOf(source, summary) > 0)
  const found = await Promise.all(counted.map((source) => find(api, source)))
  // the count may have become 0 since the summary
  return found.filter(({ count }) => count > 0)
}

function countOf(source: Source, summary: ApiSummary): number {
  if (source.kind === 'pending-keys') return summary.pending_keys
  if (source.kind === 'standing') return summary.standing[source.standing]
  if (source.kind === 'drift') return summary.drift[source.drift]
  return source.kind === 'flag' ? summary.flags[source.flag] : summary.liveness[source.liveness]
}

async function find(api: Api, source: Source): Promise<Attention> {
  const { what } = source
  if (source.kind === 'pending-keys') {
    const { keys } = await api.listKeys('pending')
    const hostnames = [...new Set(keys.map(({ hostname }) => hostname))]
    return { what, count: hostnames.length, hostnames: hostnames.slice(0, NAMES) }
  }
  const { systems, total } = await api.listSystems({ ...filterOf(source), limit: NAMES })
  return { what, count: total, hostnames: systems.map(({ hostname }) => hostname) }
}

function filterOf(source: Exclude<Source, { kind: 'pending-keys' }>): SystemFilter {
  if (source.kind === 'flag') return { flag: source.flag }
  if (source.kind === 'standing') return { standing: source.standing }
  if (source.kind === 'drift') return { drift: source.drift }
  return { liveness: source.liveness }
}
