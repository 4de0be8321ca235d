import { Command, Option } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import type { ApiListedEvaluation } from '../evaluation-api.ts'
import { findFlake, FLAKE_ARGUMENT } from '../flakes/find-flake.ts'
import { parsePositive } from '../option-parsers.ts'
import { type Column, print, printJson, printTable } from '../output.ts'
import { shortSha } from '../short-sha.ts'
import { formatAge } from '../times.ts'

interface ListOptions extends ApiOptions {
  flake?: string
  commit?: string
  configuration?: string
  status?: string
  limit: number
}

export function createListCommand(): Command {
  const command = new Command('list')
    .summary('all evaluations, or those that pass the filters')
    .description('Lists evaluations, those of commits that came later first.')
    .option('--flake <flake>', FLAKE_ARGUMENT)
    .option('--commit <sha>', 'only those of this commit; its first 7 digits or more')
    .option('--configuration <name>', 'only those of this name in nixosConfigurations')
    .addOption(new Option('--status <status>', 'only these').choices(['succeeded', 'failed']))
    .option('--limit <number>', 'how many at most', parsePositive, 100)
  return withApiOptions(command).action(async (options: ListOptions) => {
    const api = openApi(options)
    const { commit, configuration, status, limit } = options
    const flake = options.flake === undefined ? undefined : (await findFlake(api, options.flake)).id
    const filter = {
      ...(flake !== undefined && { flake }),
      ...(commit !== undefined && { commit }),
      ...(configuration !== undefined && { configuration }),
      ...(status !== undefined && { status }),
    }
    const evaluations = await api.listEvaluations(filter, limit + 1)
    const shown = evaluations.slice(0, limit)
    if (options.json) return printJson({ evaluations: shown })
    printTable(columns(api.serverTime()), shown, emptyText(filter))
    if (evaluations.length > limit)
      print(`there are more than these ${limit}: give filters, or a greater --limit`)
  })
}

const columns = (now: number): Column<ApiListedEvaluation>[] => [
  { header: 'id', value: ({ id }) => id, align: 'right' },
  { header: 'configuration', value: ({ configuration }) => configuration },
  { header: 'flake', value: ({ flake_id }) => flake_id, align: 'right' },
  { header: 'commit', value: ({ sha }) => shortSha(sha) },
  { header: 'status', value: ({ status, cause }) => (cause === null ? status : `${status}: ${cause}`) },
  { header: 'nixos', value: ({ nixos_version }) => nixos_version },
  { header: 'took', value: ({ duration_ms }) => `${(duration_ms / 1000).toFixed(1)} s`, align: 'right' },
  { header: 'evaluated', value: ({ evaluated_at }) => formatAge(evaluated_at, now) },
]

function emptyText(filter: object): string {
  return Object.keys(filter).length > 0
    ? 'no evaluation passes these filters'
    : 'no evaluations yet: follow a flake with `crystal-forge flakes add URL`'
}
