import { Command } from 'commander'
import type { ApiSummary } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { type Attention, listAttention } from './attention.ts'
import { escapeControls, formatTable, printJson } from './output.ts'
import { formatEntries } from './sections.ts'
import { formatAbsolute } from './times.ts'

export function createStatusCommand(): Command {
  const command = new Command('status').description(
    'Shows the fleet on one screen: how many systems are there, which are heard of, and what needs attention, the ' +
      'worst first. Archived systems are left out.',
  )
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const summary = await api.getSummary()
    const attention = await listAttention(api)
    if (options.json) printJson({ ...summary, attention })
    else process.stdout.write(formatStatus(api.url, summary, attention, api.serverTime()))
  })
}

function formatStatus(url: URL, summary: ApiSummary, attention: readonly Attention[], now: number): string {
  const head = `${escapeControls(url.href)} at ${formatAbsolute(now)}\n\n`
  if (summary.systems === 0 && summary.pending_keys === 0)
    return `${head}no systems yet: add one with \`crystal-forge systems add HOST\`, or let agents enrol\n`
  return `${head}${formatEntries(counts(summary), '')}\n${formatAttention(attention)}`
}

function counts({ systems, liveness, standing, flags, pending_keys }: ApiSummary) {
  const total = systems === 1 ? '1 system' : `${systems} systems`
  return [
    ['fleet', `${total}: ${countList(liveness)}`],
    ['drift', countList(standing)],
    ['flags', countList(flags)],
    ['pending keys', pending_keys === 0 ? 'none' : String(pending_keys)],
  ] as const
}

/** `9 online, 1 late`; what is 0 is left out. */
function countList(of: Record<string, number>): string {
  const present = Object.entries(of).filter(([, count]) => count > 0)
  if (present.length === 0) return 'none'
  return present.map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`).join(', ')
}

function formatAttention(attention: readonly Attention[]): string {
  if (attention.length === 0) return 'Nothing needs attention.\n'
  const table = formatTable(
    [
      { header: 'needs attention', value: ({ what }: Attention) => what },
      { header: 'count', value: ({ count }) => count, align: 'right' },
      { header: 'where', value: namesText },
    ],
    attention,
  )
  return `${table}\n\`crystal-forge systems show HOST\` says more.\n`
}

/** Names to about the width of a terminal, then how many more there are. */
function namesText({ hostnames, flakes, count }: Attention): string {
  const shown: string[] = []
  for (const name of [...hostnames, ...flakes]) {
    if (shown.length > 0 && [...shown, name].join(', ').length > 60) break
    shown.push(name)
  }
  const more = count - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
