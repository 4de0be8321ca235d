import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { NixContext } from './context.ts'
import { fetchEnvironment, type Environment } from './environment.ts'
import { flakeUrl } from './flake-url.ts'
import { lockedInputs } from './inputs.ts'
import { NixError } from './nix-error.ts'
import { addRoots } from './roots.ts'
import { runNix } from './run-nix.ts'
import type { FetchedFlake, FlakeSource } from './types.ts'

const metadata = Compile(Type.Object({ locks: Type.Unknown() }))

const Archive = Type.Cyclic(
  {
    Tree: Type.Object({
      path: Type.Optional(Type.String()),
      inputs: Type.Optional(Type.Record(Type.String(), Type.Ref('Tree'))),
    }),
  },
  'Tree',
)
const archive = Compile(Archive)

/**
 * Fetches the commit and its locked inputs into the store, where they stay until `collect`. Evaluates nothing of the
 * flake: Nix takes `inputs` only as literals. Throws a NixError.
 */
export async function fetchInputs(
  context: NixContext,
  source: FlakeSource,
  { env: credentials, signal }: { env: Environment; signal: AbortSignal },
): Promise<FetchedFlake> {
  const { programs, home, machine, timeoutMs } = context
  const url = flakeUrl(source)
  const env = fetchEnvironment(home, programs, machine, credentials)
  const ask = async (command: string, action: string): Promise<unknown> => {
    const args = ['flake', command, '--json', '--no-update-lock-file', '--', url]
    return JSON.parse(await runNix(programs.nix, args, { action, env, timeoutMs, signal }))
  }
  const described = await ask('metadata', 'reading the flake and its lock file')
  if (!metadata.Check(described)) throw new NixError('flake_invalid', 'nix flake metadata gave no locks')
  const { inputs, allowedUris } = lockedInputs(described.locks)
  const archived = await ask('archive', 'fetching the inputs')
  if (!archive.Check(archived)) throw new NixError('flake_invalid', 'nix flake archive gave no paths')
  await addRoots(context, source, [...pathsOf(archived)], { env, signal })
  return { source, inputs, allowedUris }
}

interface Tree {
  path?: string
  inputs?: Record<string, Tree>
}

function pathsOf(tree: Tree, paths = new Set<string>()): Set<string> {
  if (tree.path !== undefined) paths.add(tree.path)
  for (const input of Object.values(tree.inputs ?? {})) pathsOf(input, paths)
  return paths
}
