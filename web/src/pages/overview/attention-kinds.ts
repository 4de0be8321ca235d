import { GitBranch, Info, KeyRound, OctagonAlert, TriangleAlert } from 'lucide-react'
import type { Answer } from '../../api/client.ts'
import { isKeyOf, recordOf } from '../../keys.ts'
import { sayCause } from '../../ui/evaluation-states.ts'
import { shortStorePath } from '../../ui/Mono.tsx'
import { DRIFT, FLAGS, LIVENESS, type Shown } from '../../ui/states.ts'
import type { SystemsSearch } from '../systems/search.ts'

type Attention = Answer<'listAttention'>
export type AttentionItem = Attention['items'][number]
type AttentionKind = AttentionItem['kind']

export const SEVERITY: Record<AttentionItem['severity'], Shown> = {
  critical: { tone: 'bad', icon: OctagonAlert, text: 'Critical', hint: 'Look now.' },
  warning: { tone: 'warn', icon: TriangleAlert, text: 'Warning', hint: 'Somebody has to do something.' },
  notice: { tone: 'info', icon: Info, text: 'Notice', hint: 'It may settle by itself, or can wait.' },
}

const OF_NO_STATE = {
  key_pending: { icon: KeyRound, text: 'Key waits for approval' },
  sync_failed: { icon: GitBranch, text: 'Git cannot be read' },
  // a system may stand at an older commit meanwhile, and is not counted as one without any result
  evaluation_failed: { icon: DRIFT.evaluation_failed.icon, text: 'Newest commit fails' },
  behind: { icon: DRIFT.behind.icon, text: 'Behind for over a day' },
}

/** What is the matter, in a few words. */
export function kindShown(kind: AttentionKind): Pick<Shown, 'icon' | 'text'> {
  if (isKeyOf(OF_NO_STATE, kind)) return OF_NO_STATE[kind]
  if (isKeyOf(DRIFT, kind)) return DRIFT[kind]
  return isKeyOf(FLAGS, kind) ? FLAGS[kind] : LIVENESS[kind]
}

/** The systems that a kind is about; null where it is not about systems. */
export function searchFor(kind: AttentionKind): SystemsSearch | null {
  if (kind === 'sync_failed') return null
  if (kind === 'key_pending') return { registration: 'pending' }
  if (kind === 'evaluation_failed') return { drift: kind }
  if (isKeyOf(DRIFT, kind)) return { standing: kind, sort: 'since' }
  return isKeyOf(FLAGS, kind) ? { flag: kind } : { liveness: kind }
}

/** The fact that decides an item, in short; null where the kind says it all. */
export function sayDetails({ kind, details }: Pick<AttentionItem, 'kind' | 'details'>): string | null {
  const facts = recordOf(details)
  const running = textOf(facts['running_path'])
  if (kind === 'behind') return sayBehind(facts)
  if (kind === 'evaluation_failed') return withText(facts['cause'], sayCause)
  if (kind === 'sync_failed') return withText(facts['error'], (error) => error.trim().split('\n')[0] ?? '')
  if (kind === 'hostname_changed') return withText(facts['reported'], (reported) => `reports as ${reported}`)
  if (kind === 'reboot_needed') return Array.isArray(facts['parts']) ? facts['parts'].join(', ') : null
  if (kind === 'clock_skew')
    return typeof facts['clock_skew_secs'] === 'number'
      ? `${Math.round(facts['clock_skew_secs'])} s off`
      : null
  return isKeyOf(DRIFT, kind) && running !== null ? `runs ${shortStorePath(running)}` : null
}

function sayBehind({ commits_behind: behind }: Readonly<Record<string, unknown>>): string | null {
  if (typeof behind !== 'number') return null
  return `${behind.toLocaleString()} ${behind === 1 ? 'commit' : 'commits'}`
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function withText(value: unknown, say: (text: string) => string): string | null {
  const text = textOf(value)
  return text === null ? null : say(text)
}
