import { Command } from 'commander'
import type { Api } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import type { ApiFlake, ApiListedCommit } from './evaluation-api.ts'
import { findFlake, FLAKE_ARGUMENT } from './flakes/find-flake.ts'
import { parsePositive } from './option-parsers.ts'
import { type Column, formatTable, print, printJson } from './output.ts'
import { shortSha } from './short-sha.ts'
import { formatAge } from './times.ts'

interface CommitsOptions extends ApiOptions {
  flake?: string
  limit: number
}

export function createCommitsCommand(): Command {
  const command = new Command('commits')
    .description(
      'Lists the newest commits of a flake, or of each: how many configurations evaluate, and how many each commit changes. ' +
        '"-" in CHANGED is not known: the commit or its first parent is not evaluated.',
    )
    .option('--flake <flake>', FLAKE_ARGUMENT)
    .option('--limit <number>', 'how many of each flake', parsePositive, 20)
  return withApiOptions(command).action(async (options: CommitsOptions) => {
    const api = openApi(options)
    const { flake } = options
    const flakes = flake === undefined ? (await api.listFlakes()).flakes : [await findFlake(api, flake)]
    const listed: { flake: ApiFlake; commits: ApiListedCommit[] }[] = []
    for (const each of flakes)
      listed.push({ flake: each, commits: await api.listCommits(each.id, options.limit) })
    if (options.json) printJson({ commits: listed.flatMap(({ commits }) => commits) })
    else printCommits(api, listed)
  })
}

function printCommits(api: Api, listed: readonly { flake: ApiFlake; commits: ApiListedCommit[] }[]): void {
  if (listed.length === 0) print('no flakes yet: follow one with `crystal-forge flakes add URL`')
  for (const [index, { flake, commits }] of listed.entries()) {
    if (index > 0) print('')
    if (listed.length > 1) print(`flake ${flake.id}, ${flake.url}`)
    if (commits.length > 0) process.stdout.write(formatTable(columns(api.serverTime()), commits))
    else print(`no commits of flake ${flake.id} yet: see \`crystal-forge flakes sync ${flake.id} --wait\``)
  }
}

/** The rest of a subject that is longer says little. */
const SUBJECT_LENGTH = 60

const columns = (now: number): Column<ApiListedCommit>[] => [
  { header: 'commit', value: ({ sha }) => shortSha(sha) },
  { header: 'arrived', value: ({ arrived_at }) => formatAge(arrived_at, now) },
  { header: 'status', value: ({ status, cause }) => (cause === null ? status : `${status}: ${cause}`) },
  { header: 'hosts', value: ({ configurations }) => configurations, align: 'right' },
  {
    header: 'failed',
    value: ({ configurations, failed }) => (configurations === null ? null : failed),
    align: 'right',
  },
  { header: 'changed', value: ({ changed }) => changed, align: 'right' },
  { header: 'subject', value: ({ subject }) => shorten(subject) },
]

function shorten(text: string | null): string | null {
  const characters = Array.from(text ?? '')
  return characters.length <= SUBJECT_LENGTH ? text : `${characters.slice(0, SUBJECT_LENGTH).join('')}…`
}
