import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'

export function createApproveCommand(): Command {
  const command = new Command('approve')
    .summary('let the waiting keys of a system report')
    .description(
      'Lets the keys of a system that wait for approval report from now on. `systems keys list HOST` shows them: ' +
        'compare the id with the one on the machine itself (`crystal-forge keygen` prints it).',
    )
    .argument('<host>', 'its host name')
    .option('--key <id>', 'only this key (default: all that wait)')
  return withApiOptions(command).action(async (hostname: string, options: ApiOptions & { key?: string }) => {
    const { approved } = await openApi(options).approveKeys(hostname, options.key)
    if (options.json) printJson({ hostname, approved })
    else for (const id of approved) print(`approved the key ${id} of ${hostname}`)
  })
}
