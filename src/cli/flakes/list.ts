import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import type { ApiFlake } from '../evaluation-api.ts'
import { type Column, print, printJson, printTable } from '../output.ts'
import { shortSha } from '../short-sha.ts'
import { formatAge } from '../times.ts'

export function createListCommand(): Command {
  const command = new Command('list')
    .summary('all flakes that are followed')
    .description(
      'Lists the flakes that are followed, with the newest commit of each and whether Git could be asked.',
    )
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const { flakes } = await api.listFlakes()
    if (options.json) return printJson({ flakes })
    printTable(
      columns(api.serverTime()),
      flakes,
      'no flakes yet: follow one with `crystal-forge flakes add URL`',
    )
    for (const flake of flakes.filter(isFailing)) printFailure(flake)
  })
}

const columns = (now: number): Column<ApiFlake>[] => [
  { header: 'id', value: ({ id }) => id, align: 'right' },
  { header: 'url', value: ({ url }) => url },
  { header: 'branch', value: ({ branch, head_branch }) => branch ?? head_branch },
  { header: 'head', value: ({ head_sha }) => shortSha(head_sha) },
  { header: 'status', value: ({ head_status }) => head_status },
  { header: 'systems', value: ({ systems }) => systems, align: 'right' },
  { header: 'from', value: ({ declared }) => (declared ? 'configuration' : 'api or a system') },
  { header: 'synced', value: (flake) => syncedText(flake, now) },
]

function printFailure({ id, sync_error }: ApiFlake): void {
  const [first = '', ...rest] = (sync_error ?? 'for an unknown reason').split('\n')
  print(`flake ${id} cannot be fetched: ${first}`)
  for (const line of rest.filter((each) => each.trim() !== '')) print(`  ${line}`)
}

/** A failure ends with the next success. */
const isFailing = ({ sync_failed_at }: ApiFlake): boolean => sync_failed_at !== null

function syncedText(flake: ApiFlake, now: number): string {
  const synced = formatAge(flake.synced_at, now) ?? 'never'
  return isFailing(flake) ? `${synced}, failed ${formatAge(flake.sync_failed_at, now) ?? ''}` : synced
}
