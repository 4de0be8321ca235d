import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'

export function createArchiveCommand(): Command {
  const command = new Command('archive')
    .summary('retire a system, or bring it back')
    .description('Retires a system: its keys are refused from now on, and its evidence stays.')
    .argument('<host>', 'its host name')
    .option('--undo', 'bring it back: its keys may report again', false)
  return withApiOptions(command).action(async (hostname: string, options: ApiOptions & { undo: boolean }) => {
    const archived = !options.undo
    await openApi(options).setArchived(hostname, archived)
    if (options.json) printJson({ hostname, archived })
    else
      print(
        archived
          ? `archived ${hostname}; its keys are refused from now on`
          : `${hostname} is no longer archived`,
      )
  })
}
