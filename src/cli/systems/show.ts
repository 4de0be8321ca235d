import { Command } from 'commander'
import type { ApiKey, ApiSystem } from '../api.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { formatDrift } from '../drift-texts.ts'
import { formatFlags } from '../flag-texts.ts'
import { escapeControls, formatTable, printJson } from '../output.ts'
import { type Entry, formatEntries } from '../sections.ts'
import { formatSpan, formatTime } from '../times.ts'
import { formatIdentity } from './identity.ts'
import { keyColumns } from './keys.ts'
import { formatRunning } from './running.ts'

export function createShowCommand(): Command {
  const command = new Command('show')
    .summary('one system: what it runs, its flags, its identity and its keys')
    .description(
      'Shows one system: what it runs, what is wrong with it and why, who it is, and its keys. "unknown" is what its ' +
        'agent could not read; nothing is guessed.',
    )
    .argument('<host>', 'its host name')
  return withApiOptions(command).action(async (hostname: string, options: ApiOptions) => {
    const api = openApi(options)
    const [system, { keys }] = await Promise.all([api.getSystem(hostname), api.listSystemKeys(hostname)])
    if (options.json) printJson({ ...system, keys })
    else process.stdout.write(formatSystem(system, keys, api.serverTime()))
  })
}

function formatSystem(system: ApiSystem, keys: readonly ApiKey[], now: number): string {
  return [
    `${escapeControls(system.hostname)}\n${formatEntries(overview(system, now), '  ')}`,
    ...(system.drift === null
      ? []
      : [`DRIFT\n${formatDrift(system.drift, now, '  ')}${revisionNote(system.drift)}`]),
    formatRunning(system, now),
    formatFlags(system.hostname, system.flags, now),
    formatIdentity(system.fingerprint),
    formatKeys(keys, now),
  ].join('\n')
}

/** Nothing is wrong with it, but who wonders why every commit concerns this system finds it here. */
function revisionNote({ embeds_revision }: { embeds_revision: boolean | null }): string {
  if (embeds_revision !== true) return ''
  return '  every commit changes its path: its configuration embeds the revision (system.configurationRevision)\n'
}

function overview(system: ApiSystem, now: number): Entry[] {
  const { environment, flake_url, branch, configuration, pinned_path, clock_skew_secs } = system
  return [
    ['liveness', livenessText(system, now)],
    ['registration', registrationText(system, now)],
    ['environment', environment ?? 'none'],
    ...(flake_url === null
      ? []
      : [['flake', branch === null ? flake_url : `${flake_url} (branch ${branch})`] as const]),
    ...(flake_url === null ? [] : [['configuration', configuration ?? system.hostname] as const]),
    ...(pinned_path === null ? [] : [['has to run', pinned_path] as const]),
    ...(flake_url === null && pinned_path === null
      ? [['has to run', 'not said: it has no flake and no pinned path'] as const]
      : []),
    ...(clock_skew_secs === null || clock_skew_secs === 0
      ? []
      : [['clock', `${skewText(clock_skew_secs)} (as of its last contact)`] as const]),
  ]
}

function livenessText(
  { liveness, last_contact, online_since, interval_secs }: ApiSystem,
  now: number,
): string[] {
  if (last_contact === null) return ['never seen: it has not reported yet']
  return [
    `${liveness.replace('_', ' ')}, last contact ${formatTime(last_contact, now) ?? ''}`,
    ...(liveness === 'offline' || online_since === null
      ? []
      : [`without a break since ${formatTime(online_since, now) ?? ''}`]),
    `reports every ${formatSpan(interval_secs)}`,
  ]
}

function registrationText(
  { registration, declared, created_at, archived_at }: ApiSystem,
  now: number,
): string[] {
  const meaning: Record<string, string> = {
    active: 'active: it may report',
    pending: 'pending: its key waits for approval (crystal-forge systems approve)',
    keyless: 'keyless: it has no key that may report',
    archived: `archived ${formatTime(archived_at, now) ?? ''}: its keys are refused`,
  }
  const origin = declared
    ? "declared in the server's configuration, and changed there"
    : `added ${formatTime(created_at, now) ?? ''}`
  return [meaning[registration] ?? registration, origin]
}

/** `clock_skew_secs` is what the agent had to add to its clock to have the server's. */
function skewText(seconds: number): string {
  return `${formatSpan(Math.abs(seconds))} ${seconds > 0 ? 'behind' : 'ahead of'} the server's`
}

function formatKeys(keys: readonly ApiKey[], now: number): string {
  if (keys.length === 0) return 'KEYS\n  none\n'
  return `KEYS\n${formatTable(keyColumns(now), keys).replace(/^/gm, '  ').trimEnd()}\n`
}
