import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { UsageError } from '../exit.ts'
import { findFlake, FLAKE_ARGUMENT } from '../flakes/find-flake.ts'
import { parsePositive } from '../option-parsers.ts'
import { print, printJson } from '../output.ts'
import { shortSha } from '../short-sha.ts'

interface RetryOptions extends ApiOptions {
  commit?: string
  flake?: string
  all: boolean
}

export function createRetryCommand(): Command {
  const command = new Command('retry')
    .summary('evaluate again')
    .description(
      'Has one configuration evaluated again, or those of a commit that failed or have no result; with --all every one.',
    )
    .argument('[id]', 'as `evaluations list` shows it', parsePositive)
    .option('--commit <sha>', 'instead of an id: of this commit; its first 7 digits or more')
    .option('--flake <flake>', `where several flakes have the commit: ${FLAKE_ARGUMENT}`)
    .option('--all', 'with --commit: also those that succeeded', false)
  return withApiOptions(command).action(async (id: number | undefined, options: RetryOptions) => {
    checkUsage(id, options)
    if (id === undefined) await retryCommit(options.commit ?? '', options)
    else await retryOne(id, options)
  })
}

function checkUsage(id: number | undefined, { commit, flake, all }: RetryOptions): void {
  if ((id === undefined) === (commit === undefined))
    throw new UsageError('say what to evaluate again: either an id or --commit')
  if (commit === undefined && (all || flake !== undefined))
    throw new UsageError('--all and --flake belong to --commit')
}

async function retryOne(id: number, options: ApiOptions): Promise<void> {
  const asked = await openApi(options).retryEvaluation(id)
  if (options.json) printJson(asked)
  else print(`${asked.configuration} is evaluated again at ${shortSha(asked.sha)} of flake ${asked.flake_id}`)
}

async function retryCommit(commit: string, options: RetryOptions): Promise<void> {
  const api = openApi(options)
  const flake = options.flake === undefined ? undefined : (await findFlake(api, options.flake)).id
  const asked = await api.evaluateCommit(commit, flake, options.all ? 'all' : 'failed')
  if (options.json) printJson(asked)
  else
    print(
      `${options.all ? 'every configuration' : 'what failed or has no result'} is evaluated at ` +
        `${shortSha(asked.sha)} of flake ${asked.flake_id}`,
    )
}
