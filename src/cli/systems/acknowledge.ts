import { Argument, Command } from 'commander'
import { FLAGS, STICKY_FLAGS } from '../../fleet/flags.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'

export function createAcknowledgeCommand(): Command {
  const command = new Command('acknowledge')
    .summary('take down a flag that somebody has looked at')
    .description(
      `Takes down a flag that stays until somebody has looked at it (${STICKY_FLAGS.join(', ')}). ` +
        'The others end by themselves with their cause.',
    )
    .argument('<host>', 'its host name')
    .addArgument(new Argument('<flag>', 'which').choices(FLAGS))
  return withApiOptions(command).action(async (hostname: string, flag: string, options: ApiOptions) => {
    await openApi(options).acknowledgeFlag(hostname, flag)
    if (options.json) printJson({ hostname, acknowledged: flag })
    else print(`acknowledged ${flag} of ${hostname}`)
  })
}
