/**
 * What may need somebody, the worst first: evidence that cannot be trusted, then systems that say nothing, then those that
 * run what nobody can explain, then what waits for a person, then what is only not as it should be.
 *
 * - `evaluation_failed`: the newest commit fails for the system, whatever it stands at: nothing new reaches it
 * - `sync_failed`: the branch of a flake could not be read
 * - `behind`: for longer than `LONG_BEHIND_MS`
 */
export const ATTENTION_KINDS = [
  'identity_conflict',
  'history_lost',
  'chain_broken',
  'offline',
  'unmanaged',
  'wrong_configuration',
  'off_branch',
  'pinned_mismatch',
  'key_pending',
  'spool_failed',
  'sync_failed',
  'evaluation_failed',
  'behind',
  'late',
  'hostname_changed',
  'clock_skew',
  'profile_mismatch',
  'reboot_needed',
  'never_seen',
] as const
export type AttentionKind = (typeof ATTENTION_KINDS)[number]

/** `critical`: look now; `warning`: somebody has to do something; `notice`: it may settle by itself, or can wait. */
export const SEVERITIES = ['critical', 'warning', 'notice'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Rollouts take hours: a system is not reported for not having the commit of this morning. */
export const LONG_BEHIND_MS = 24 * 60 * 60 * 1000

/** The place of a kind in the order, from 1, the worst. */
export function attentionRank(kind: AttentionKind): number {
  return ATTENTION_KINDS.indexOf(kind) + 1
}

export function severityOf(kind: AttentionKind): Severity {
  if (attentionRank(kind) <= LAST_CRITICAL) return 'critical'
  return attentionRank(kind) <= LAST_WARNING ? 'warning' : 'notice'
}

const LAST_CRITICAL = attentionRank('off_branch')
const LAST_WARNING = attentionRank('behind')

/** The first `limit` items, the worst first, of one kind in the order they are given in, at most `each` of a kind. */
export function worstFirst<Item extends { kind: AttentionKind }>(
  items: readonly Item[],
  { each, limit }: { each: number; limit: number },
): Item[] {
  const taken = new Map<AttentionKind, number>()
  return items
    .filter(({ kind }) => {
      const before = taken.get(kind) ?? 0
      taken.set(kind, before + 1)
      return before < each
    })
    .toSorted((a, b) => attentionRank(a.kind) - attentionRank(b.kind))
    .slice(0, limit)
}
