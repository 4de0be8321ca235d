import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { collect, readPublicKeyFile } from '../option-parsers.ts'
import { print, printJson } from '../output.ts'

interface AddOptions extends ApiOptions {
  environment?: string
  flake?: string
  configuration?: string
  derivation?: string
  publicKey?: string[]
  publicKeyFile?: string[]
}

export function createAddCommand(): Command {
  const command = new Command('add')
    .summary('register a system')
    .description('Registers a system under its host name, with its public keys if it has any yet.')
    .argument('<host>', 'its host name')
    .option('--environment <name>', 'such as production')
    .option('--flake <url>', 'the flake that describes it')
    .option('--configuration <name>', 'its name in nixosConfigurations (default: the host name)')
    .option('--derivation <path>', 'the store path it has to run, instead of what a flake says')
    .option('--public-key <base64>', 'a public key of its agent; may be given several times', collect)
    .option('--public-key-file <path>', 'the same, in a file as keygen writes it', collect)
  return withApiOptions(command).action(async (hostname: string, options: AddOptions) => {
    const { environment, flake, configuration, derivation } = options
    const keys = [...(options.publicKey ?? []), ...(options.publicKeyFile ?? []).map(readPublicKeyFile)]
    const added = await openApi(options).addSystem({
      hostname,
      ...(environment !== undefined && { environment }),
      ...(flake !== undefined && { flake_url: flake }),
      ...(configuration !== undefined && { configuration }),
      ...(derivation !== undefined && { pinned_path: derivation }),
      ...(keys.length > 0 && { public_keys: keys }),
    })
    if (options.json) printJson(added)
    else print(addedText(added.hostname, keys.length))
  })
}

function addedText(hostname: string, keys: number): string {
  if (keys > 0)
    return `added ${hostname} with ${keys} ${keys === 1 ? 'key' : 'keys'}; its agent may report now`
  return (
    `added ${hostname}; it has no key yet: its agent may report after ` +
    `\`crystal-forge systems keys add ${hostname} --public-key-file host.pub\``
  )
}
