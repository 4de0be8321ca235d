import type { SystemState } from '../../protocol/facts.ts'
import type { ApiSystem } from '../api.ts'
import { type Entry, formatSection } from '../sections.ts'
import { formatTime } from '../times.ts'

/** What a system runs, by its newest report, and when that was. */
export function formatRunning(system: ApiSystem, now: number): string {
  if (system.report_id === null) return 'RUNS\n  unknown: it has sent no state report yet\n'
  const state = readState(system.system)
  return formatSection('runs', [
    ...(state === null ? [['current', null] as const] : statePaths(state, now)),
    ...lastHeard(system, state, now),
    ['booted at', formatTime(system.booted_at, now)],
    ['reboot needed', rebootText(state)],
    ['observed', formatTime(system.observed_at, now)],
    ['received', formatTime(system.received_at, now)],
    ['report', `${system.report_id} (protocol version ${system.protocol})`],
  ])
}

function statePaths(
  { current, booted, profile, generation, profile_changed_at }: SystemState,
  now: number,
): Entry[] {
  const like = (path: string | null): string | null =>
    path !== null && path === current ? 'the same as current' : path
  const changed = profile_changed_at === null ? NaN : Date.parse(profile_changed_at)
  return [
    ['current', current],
    ['booted', like(booted)],
    ['profile', like(profile)],
    ['generation', generation === null ? null : String(generation)],
    ['profile changed', Number.isNaN(changed) ? null : formatTime(new Date(changed).toISOString(), now)],
  ]
}

/** A heartbeat says what runs now, the facts are those of the newest report: they differ while a report is on its way. */
function lastHeard(
  { current_system, last_contact }: ApiSystem,
  state: SystemState | null,
  now: number,
): Entry[] {
  if (current_system === null || current_system === (state?.current ?? null)) return []
  return [
    [
      'by heartbeat',
      `${current_system} (${formatTime(last_contact, now) ?? ''}; its report is not here yet)`,
    ],
  ]
}

function rebootText(state: SystemState | null): string | null {
  const parts = state?.reboot_needed ?? null
  if (parts === null) return null
  return parts.length === 0
    ? 'no'
    : `yes: ${parts.join(', ')} of the booted system are not those of the profile`
}

/** The server has checked the document against the schema when it took the report. */
function readState(system: unknown): SystemState | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return (system ?? null) as SystemState | null
}
