import type { AttentionKind } from '../fleet/attention.ts'
import type { Api } from './api.ts'

/** Something that is the case for `count` systems or flakes, with the first of their names. */
export interface Attention {
  what: string
  count: number
  hostnames: string[]
  /** Their addresses, where it is the case for flakes. */
  flakes: string[]
}

/** Names of a line: more than fit on a screen help nobody. */
const NAMES = 20

/** What is not said by the name of the kind alone. */
const TEXTS: Partial<Record<AttentionKind, string>> = {
  key_pending: 'key waits for approval',
  hostname_changed: 'host name changed',
  sync_failed: 'Git cannot be read',
  behind: 'behind for more than a day',
}

/** What of the fleet needs somebody, the worst first, as the server orders it. */
export async function listAttention(api: Api): Promise<Attention[]> {
  const { kinds, items } = await api.getAttention(NAMES)
  return kinds.map(({ kind, count }) => {
    const found = items.filter((item) => item.kind === kind)
    return {
      what: TEXTS[kind] ?? kind.replaceAll('_', ' '),
      count,
      hostnames: found.flatMap(({ hostname }) => (hostname === null ? [] : [hostname])),
      flakes: found.flatMap(({ flake }) => (flake === null ? [] : [flake.url])),
    }
  })
}
