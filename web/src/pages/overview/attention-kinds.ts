import type { Answer } from '../../api/client.ts'
import type { Tone } from '../../ui/Badge.tsx'
import { isKeyOf } from '../../keys.ts'
import { DRIFT, FLAGS, LIVENESS } from '../../ui/states.ts'
import type { SystemsSearch } from '../systems/search.ts'

type Attention = Answer<'listAttention'>
export type AttentionKind = Attention['items'][number]['kind']

export const SEVERITY: Record<Attention['items'][number]['severity'], { tone: Tone; text: string }> = {
  critical: { tone: 'bad', text: 'Critical' },
  warning: { tone: 'warn', text: 'Warning' },
  notice: { tone: 'info', text: 'Notice' },
}

/** What is the matter, in a few words. */
export function sayKind(kind: AttentionKind): string {
  if (kind === 'key_pending') return 'Key waits for approval'
  if (kind === 'sync_failed') return 'Git cannot be read'
  if (kind === 'behind') return 'Behind for long'
  if (isKeyOf(DRIFT, kind)) return DRIFT[kind].text
  return isKeyOf(FLAGS, kind) ? FLAGS[kind].text : LIVENESS[kind].text
}

/** The systems that a kind is about; null where it is not about systems. */
export function searchFor(kind: AttentionKind): SystemsSearch | null {
  if (kind === 'sync_failed') return null
  if (kind === 'key_pending') return { registration: 'pending' }
  if (kind === 'evaluation_failed') return { drift: kind }
  if (isKeyOf(DRIFT, kind)) return { standing: kind, sort: 'since' }
  return isKeyOf(FLAGS, kind) ? { flag: kind } : { liveness: kind }
}
