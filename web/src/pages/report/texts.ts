import { CircleCheck, CircleDot, GitFork, Link2Off, type LucideIcon, Unlink } from 'lucide-react'
import { isKeyOf } from '../../keys.ts'
import type { Tone } from '../../ui/Badge.tsx'

interface ShownChain {
  tone: Tone
  icon: LucideIcon
  text: string
  /** What it means, in a sentence. */
  hint: string
}

/** The place of a report among the others of its system. */
const CHAINS = {
  start: { tone: 'good', icon: CircleDot, text: 'First', hint: 'It is the first report of the system.' },
  continues: {
    tone: 'good',
    icon: CircleCheck,
    text: 'Continues',
    hint: 'It names the report that came before it.',
  },
  restart: {
    tone: 'bad',
    icon: Link2Off,
    text: 'Restarted',
    hint: 'It names none before it, though there were some: the state of the agent was lost.',
  },
  gap: {
    tone: 'bad',
    icon: Link2Off,
    text: 'Gap',
    hint: 'The report that it names never arrived.',
  },
  fork: {
    tone: 'bad',
    icon: GitFork,
    text: 'Fork',
    hint: 'It names a report that another one had followed already: two machines, or a restored one.',
  },
  unchained: {
    tone: 'quiet',
    icon: Unlink,
    text: 'No chain',
    hint: 'Agents of version 0 name no report before.',
  },
} satisfies Record<string, ShownChain>

/** A newer server may name others. */
export function chainOf(chain: string): ShownChain {
  return isKeyOf(CHAINS, chain)
    ? CHAINS[chain]
    : { tone: 'quiet', icon: Unlink, text: chain, hint: 'Not known to this version.' }
}

/** Why agents report. */
export const REASONS: Readonly<Record<string, string>> = {
  startup: 'the agent started',
  config_change: 'what the host runs changed',
  state_delta: 'a fact changed',
  requested: 'the server asked for it',
}
