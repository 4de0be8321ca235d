import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { NixContext } from './context.ts'
import { fetchEnvironment, type Environment } from './environment.ts'
import { FETCH } from './expressions.ts'
import { flakeUrl } from './flake-url.ts'
import { refusalOf } from './input-policy.ts'
import { lockedInputs } from './inputs.ts'
import { parseLockFile, type LockFile } from './lock-file.ts'
import { NixError } from './nix-error.ts'
import { addRoots } from './roots.ts'
import { runNix } from './run-nix.ts'
import type { FetchedFlake, FlakeSource } from './types.ts'

const lockText = Compile(Type.Union([Type.String(), Type.Null()]))
const storePaths = Compile(Type.Array(Type.String({ pattern: '^/nix/store/' })))

/**
 * Fetches the commit and its locked inputs into the store, where they stay until `collect`. Evaluates nothing of the
 * flake. What flake.lock does not hold is not fetched: Nix says so when the flake is evaluated. Throws a NixError.
 */
export async function fetchInputs(
  context: NixContext,
  source: FlakeSource,
  { env: credentials, signal }: { env: Environment; signal: AbortSignal },
): Promise<FetchedFlake> {
  const { programs, timeoutMs } = context
  const env = fetchEnvironment(context, source, credentials)
  const ask = async (attribute: string, action: string): Promise<unknown> => {
    const url = flakeUrl({ ...source, directory: null })
    const values = ['--argstr', 'url', url, '--argstr', 'directory', source.directory ?? '']
    const args = ['eval', '--json', '--expr', FETCH, attribute, ...values]
    return JSON.parse(await runNix(programs, args, { action, env, timeoutMs, signal }))
  }
  const text = await ask('lock', 'reading the lock file')
  if (!lockText.Check(text)) throw new NixError('lock_file', 'flake.lock cannot be read as text')
  const lockFile = parseLockFile(text)
  refuseInputs(lockFile, source)
  const paths = await ask('paths', 'fetching the inputs')
  if (!storePaths.Check(paths)) throw new NixError('flake_invalid', 'an input is not in /nix/store')
  await addRoots(context, source, [...new Set(paths)], signal)
  return { source, ...lockedInputs(lockFile) }
}

function refuseInputs({ nodes }: LockFile, source: FlakeSource): void {
  for (const [name, node] of Object.entries(nodes)) {
    const refusal = refusalOf(node, source)
    if (refusal === null) continue
    throw new NixError(
      'input_refused',
      `the input ${JSON.stringify(name)} of flake.lock is not fetched: ${refusal}`,
    )
  }
}
