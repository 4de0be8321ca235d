import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { NixContext } from './context.ts'
import { evaluationEnvironment } from './environment.ts'
import { LIST_CONFIGURATIONS } from './expressions.ts'
import { needsWriting } from './failure-cause.ts'
import { flakeUrl } from './flake-url.ts'
import { NixError } from './nix-error.ts'
import { nixError } from './nix-failure.ts'
import { tryNix } from './run-nix.ts'
import type { FetchedFlake } from './types.ts'

const names = Compile(Type.Union([Type.Array(Type.String()), Type.Null()]))

/** The names of the flake's `nixosConfigurations`, in Nix's order. Throws a NixError. */
export async function listConfigurations(
  context: NixContext,
  flake: FetchedFlake,
  signal: AbortSignal,
): Promise<string[]> {
  const { programs, timeoutMs } = context
  const mayBuild = flake.source.allowImportFromDerivation
  const action = 'listing the configurations'
  const env = evaluationEnvironment(context, flake)
  const list = (readOnly: boolean) => {
    const args = [
      'eval',
      '--json',
      '--log-format',
      'raw',
      ...(readOnly ? ['--read-only'] : []),
      ...(mayBuild ? [] : ['--offline']),
      '--expr',
      LIST_CONFIGURATIONS,
      'result',
      '--argstr',
      'url',
      flakeUrl(flake.source),
    ]
    const { memoryBytes } = context
    return context.slots.use(() => tryNix(programs, args, { action, env, timeoutMs, signal, memoryBytes }))
  }
  let listed = await list(!mayBuild)
  if (!listed.isSuccess && needsWriting(listed.stderr)) listed = await list(false)
  if (!listed.isSuccess) throw nixError(action, listed.stderr)
  const document: unknown = JSON.parse(listed.stdout)
  if (!names.Check(document)) throw new NixError('flake_invalid', 'nixosConfigurations is not a set of names')
  if (document === null) throw new NixError('no_configurations', 'the flake has no nixosConfigurations')
  return document
}
