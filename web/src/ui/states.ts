import type { Answer } from '../api/client.ts'
import type { Tone } from './Badge.tsx'
import {
  type BadgeIcon,
  ArrowDownCircle,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CircleX,
  Clock,
  Fingerprint,
  GitBranch,
  History,
  Hourglass,
  Link2Off,
  MoonStar,
  Pin,
  RotateCw,
  Shuffle,
  Tag,
  TriangleAlert,
  Unplug,
  Wifi,
} from './state-icons.tsx'

export type DriftState = keyof Answer<'getFleetSummary'>['drift']
export type LivenessState = keyof Answer<'getFleetSummary'>['liveness']
export type FlagName = keyof Answer<'getFleetSummary'>['flags']

export interface Shown {
  tone: Tone
  icon: BadgeIcon
  text: string
  /** What it means, in a sentence. */
  hint: string
}

/** Worst first. */
export const DRIFT: Record<DriftState, Shown> = {
  unmanaged: {
    tone: 'bad',
    icon: TriangleAlert,
    text: 'Unmanaged',
    hint: 'It runs a system that no commit of its branch that was searched evaluates to.',
  },
  wrong_configuration: {
    tone: 'bad',
    icon: Shuffle,
    text: 'Wrong configuration',
    hint: 'It runs what a tracked commit gives to another system.',
  },
  off_branch: {
    tone: 'bad',
    icon: GitBranch,
    text: 'Off branch',
    hint: 'It runs what a commit evaluates to that its branch does not have.',
  },
  pinned_mismatch: {
    tone: 'bad',
    icon: Pin,
    text: 'Not the pinned path',
    hint: 'It runs another system than the store path it is pinned to.',
  },
  behind: {
    tone: 'warn',
    icon: ArrowDownCircle,
    text: 'Behind',
    hint: 'It runs what an older commit of its branch evaluates to.',
  },
  evaluation_failed: {
    tone: 'warn',
    icon: CircleX,
    text: 'Evaluation failed',
    hint: 'The newest commit cannot be evaluated for it.',
  },
  pending: {
    tone: 'info',
    icon: Hourglass,
    text: 'Pending',
    hint: 'Not everything that decides about it is evaluated yet.',
  },
  unassigned: {
    tone: 'quiet',
    icon: CircleDashed,
    text: 'Unassigned',
    hint: 'It has neither a flake nor a pinned store path to be compared with.',
  },
  no_report: {
    tone: 'quiet',
    icon: CircleHelp,
    text: 'No report',
    hint: 'It has never reported what it runs.',
  },
  in_sync: {
    tone: 'good',
    icon: CircleCheck,
    text: 'In sync',
    hint: 'It reported, signed, that it runs what it should run.',
  },
}

export const LIVENESS: Record<LivenessState, Shown> = {
  online: { tone: 'good', icon: Wifi, text: 'Online', hint: 'It was heard of within the time it promised.' },
  late: { tone: 'warn', icon: Clock, text: 'Late', hint: 'It is overdue, but not for long.' },
  offline: { tone: 'bad', icon: Unplug, text: 'Offline', hint: 'It has not been heard of for long.' },
  never_seen: { tone: 'quiet', icon: MoonStar, text: 'Never seen', hint: 'It has never been heard of.' },
}

export const FLAGS: Record<FlagName, Shown> = {
  reboot_needed: {
    tone: 'warn',
    icon: RotateCw,
    text: 'Reboot needed',
    hint: 'Kernel, initrd, modules or kernel parameters differ from what was booted.',
  },
  profile_mismatch: {
    tone: 'warn',
    icon: Tag,
    text: 'Profile differs',
    hint: 'What runs is not what the system profile names.',
  },
  identity_conflict: {
    tone: 'bad',
    icon: Fingerprint,
    text: 'Identity conflict',
    hint: 'Two machines report with one key.',
  },
  chain_broken: {
    tone: 'bad',
    icon: Link2Off,
    text: 'Chain broken',
    hint: 'A report does not follow from the one before.',
  },
  history_lost: {
    tone: 'bad',
    icon: History,
    text: 'History lost',
    hint: 'The host knows of an accepted report that this server does not have.',
  },
  spool_failed: {
    tone: 'warn',
    icon: TriangleAlert,
    text: 'Spool failed',
    hint: 'The host could not write its reports to disk.',
  },
  clock_skew: { tone: 'warn', icon: Clock, text: 'Clock skew', hint: 'Its clock differs by 30 s or more.' },
  hostname_changed: {
    tone: 'info',
    icon: Tag,
    text: 'Host name differs',
    hint: 'It reports another host name than it is registered under.',
  },
}
