import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'
import { findFlake, FLAKE_ARGUMENT } from './find-flake.ts'

export function createRemoveCommand(): Command {
  const command = new Command('remove')
    .summary('follow a flake no longer')
    .description('Follows a flake no longer, when no system has it. What is known of its commits stays.')
    .argument('<flake>', FLAKE_ARGUMENT)
  return withApiOptions(command).action(async (text: string, options: ApiOptions) => {
    const api = openApi(options)
    const { id, url } = await findFlake(api, text)
    await api.archiveFlake(id)
    if (options.json) printJson({ id, archived: true })
    else print(`flake ${id}, ${url}, is no longer followed`)
  })
}
