import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { UsageError } from '../exit.ts'
import { print, printJson } from '../output.ts'

interface SetOptions extends ApiOptions {
  environment?: string | false
  flake?: string | false
  configuration?: string | false
  derivation?: string | false
}

export function createSetCommand(): Command {
  const command = new Command('set')
    .summary('change what a system has to run')
    .description('Changes what is said of a system; what is not given stays. It is judged by it at once.')
    .argument('<host>', 'its host name')
    .option('--environment <name>', 'such as production')
    .option('--no-environment', 'none')
    .option('--flake <url>', 'the flake that describes it')
    .option('--no-flake', 'none')
    .option('--configuration <name>', 'its name in nixosConfigurations')
    .option('--no-configuration', 'the host name')
    .option('--derivation <path>', 'the store path it has to run, instead of what a flake says')
    .option('--no-derivation', 'what its flake says')
  // an option with a `--no-` form has no default, so that what is not given is undefined
  for (const option of command.options)
    if (option.negate) command.setOptionValue(option.attributeName(), undefined)
  return withApiOptions(command).action(async (hostname: string, options: SetOptions) => {
    const changes = Object.fromEntries(
      [
        ['environment', options.environment] as const,
        ['flake_url', options.flake] as const,
        ['configuration', options.configuration] as const,
        ['pinned_path', options.derivation] as const,
      ].flatMap(([name, value]) => (value === undefined ? [] : [[name, value === false ? null : value]])),
    )
    if (Object.keys(changes).length === 0)
      throw new UsageError('say what to change: see crystal-forge systems set --help')
    await openApi(options).changeSystem(hostname, changes)
    if (options.json) printJson({ hostname, ...changes })
    else print(`changed ${hostname}: ${Object.keys(changes).join(', ')}`)
  })
}
