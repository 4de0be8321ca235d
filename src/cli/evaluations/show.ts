import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import type { ApiEvaluation } from '../evaluation-api.ts'
import { parsePositive } from '../option-parsers.ts'
import { escapeControls, printJson } from '../output.ts'
import { type Entry, formatEntries, formatSection } from '../sections.ts'
import { formatTime } from '../times.ts'

export function createShowCommand(): Command {
  const command = new Command('show')
    .summary('one evaluation: its paths, or why it failed')
    .description(
      'Shows one evaluation: the paths it gives, what it cost, and where it failed the message of Nix.',
    )
    .argument('<id>', 'as `evaluations list` shows it', parsePositive)
  return withApiOptions(command).action(async (id: number, options: ApiOptions) => {
    const api = openApi(options)
    const evaluation = await api.getEvaluation(id)
    if (options.json) printJson(evaluation)
    else process.stdout.write(formatEvaluation(evaluation, api.serverTime()))
  })
}

function formatEvaluation(evaluation: ApiEvaluation, now: number): string {
  const { configuration } = evaluation
  return [
    `${escapeControls(configuration)}\n${formatEntries(overview(evaluation, now), '  ')}`,
    evaluation.status === 'failed' ? formatFailure(evaluation) : formatSection('gives', outcome(evaluation)),
    formatSection('cost', cost(evaluation)),
  ].join('\n')
}

function overview(evaluation: ApiEvaluation, now: number): Entry[] {
  const { status, commit_status, flake_id, flake_url, sha, subject, evaluated_at } = evaluation
  const isAsked = commit_status === 'queued' || commit_status === 'running'
  return [
    ['status', isAsked ? [status, `its commit is ${commit_status} to be evaluated again`] : status],
    ['flake', `${flake_id}, ${flake_url}`],
    ['commit', [sha, subject ?? '']],
    ['evaluated', formatTime(evaluated_at, now)],
  ]
}

function outcome(evaluation: ApiEvaluation): Entry[] {
  const { specialisations, embeds_revision } = evaluation
  return [
    ['system', evaluation.out_path],
    ['derivation', evaluation.drv_path],
    ...specialisations.map(({ name, out_path }): Entry => [
      `specialisation ${escapeControls(name)}`,
      out_path,
    ]),
    ['platform', evaluation.platform],
    ['nixos', evaluation.nixos_version],
    ['kernel', evaluation.kernel_version],
    ['state version', evaluation.state_version],
    ...(embeds_revision === true
      ? [['revision', 'is embedded (system.configurationRevision): every commit changes the path'] as const]
      : []),
  ]
}

function formatFailure({ id, cause, error }: ApiEvaluation): string {
  return [
    formatSection('failed', [
      ['cause', cause?.replaceAll('_', ' ') ?? null],
      ['try again', `crystal-forge evaluations retry ${id}`],
    ]),
    `MESSAGE\n${formatLines(error ?? 'none')}`,
  ].join('\n')
}

const formatLines = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${escapeControls(line)}`.trimEnd())
    .join('\n')
    .concat('\n')

function cost({ duration_ms, peak_memory_bytes, nix_version }: ApiEvaluation): Entry[] {
  return [
    ['time', `${(duration_ms / 1000).toFixed(1)} s`],
    ['peak memory', peak_memory_bytes === null ? null : `${Math.round(peak_memory_bytes / 2 ** 20)} MiB`],
    ['nix', nix_version],
  ]
}
