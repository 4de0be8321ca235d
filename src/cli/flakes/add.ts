import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { parsePositive } from '../option-parsers.ts'
import { print, printJson } from '../output.ts'

interface AddOptions extends ApiOptions {
  branch?: string
  searchDepth?: number
  allowImportFromDerivation: boolean
}

export function createAddCommand(): Command {
  const command = new Command('add')
    .summary('follow a flake')
    .description(
      'Follows one branch of a flake from now on; one that was removed comes back with these settings. Credentials never ' +
        "go into the URL: the server's configuration names their files.",
    )
    .argument('<url>', 'such as git+https://github.com/yourorg/nixos-configs')
    .option('--branch <name>', "the branch to follow (default: the remote's HEAD)")
    .option('--search-depth <commits>', 'commits that are searched for what a system runs', parsePositive)
    .option('--allow-import-from-derivation', 'let its evaluation build and download; takes an admin', false)
  return withApiOptions(command).action(async (url: string, options: AddOptions) => {
    const { branch, searchDepth, allowImportFromDerivation } = options
    const { id } = await openApi(options).addFlake({
      url,
      ...(branch !== undefined && { branch }),
      ...(searchDepth !== undefined && { search_depth: searchDepth }),
      ...(allowImportFromDerivation && { allow_import_from_derivation: true }),
    })
    if (options.json) printJson({ id })
    else
      print(`follows ${url} as flake ${id}; \`crystal-forge flakes sync ${id} --wait\` shows how far it is`)
  })
}
