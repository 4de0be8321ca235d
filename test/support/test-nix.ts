import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createNix, type Nix, type NixOptions } from '../../src/evaluator/nix/nix.ts'
import type {
  EvaluationResult,
  FailedEvaluation,
  FetchedFlake,
  FlakeSource,
} from '../../src/evaluator/nix/types.ts'
import { findPrograms } from '../../src/evaluator/nix/programs.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** PATH of the tests' Nix; `CRYSTAL_FORGE_TEST_NIX` names a directory with another one. */
export const NIX_PATH = [process.env['CRYSTAL_FORGE_TEST_NIX'], process.env['PATH']].filter(Boolean).join(':')

export interface WatchedNix {
  /** PATH on which `nix` copies what it writes to standard error. */
  path: string
  /** All of that so far. */
  stderr: () => Promise<string>
}

/** Tells what Nix did by what it traced. */
export async function watchNix(): Promise<WatchedNix> {
  const directory = await temporaryDirectory()
  const log = join(directory, 'stderr')
  await writeFile(log, '')
  const real = (await findPrograms(NIX_PATH)).nix
  const script = `#!/bin/bash\nset -o pipefail\n{ ${real} "$@" 2>&1 >&3 | /usr/bin/tee -a ${log} >&2; } 3>&1\n`
  await writeFile(join(directory, 'nix'), script, { mode: 0o755 })
  return { path: `${directory}:${NIX_PATH}`, stderr: () => readFile(log, 'utf8') }
}

/** PATH with a `nix` that runs these lines of a shell first; `$NIX` is the real one. */
export async function nixAfter(lines: string): Promise<string> {
  const directory = await temporaryDirectory()
  const real = (await findPrograms(NIX_PATH)).nix
  const script = `#!/bin/sh\nNIX=${real}\n${lines}\nexec $NIX "$@"\n`
  await writeFile(join(directory, 'nix'), script, { mode: 0o755 })
  return `${directory}:${NIX_PATH}`
}

/** The Nix part of an evaluator with a state directory of its own; what it put into the store goes when the test is over. */
export async function createTestNix(options: Partial<NixOptions> = {}): Promise<Nix> {
  const nix = createNix({
    stateDirectory: await temporaryDirectory(),
    workers: 2,
    memoryBudgetBytes: 2 ** 31,
    timeoutMs: 60_000,
    environment: { PATH: NIX_PATH },
    ...options,
  })
  onTestFinished(() => nix.collect([], {}))
  return nix
}

export interface EvaluateAllOptions {
  names?: readonly string[]
  /** Of the step that fetches. */
  env?: Record<string, string>
  signal?: AbortSignal
}

/** Fetches, and evaluates these configurations, or all; the results by configuration. */
export async function evaluateAll(
  nix: Nix,
  source: FlakeSource,
  { env = {}, ...options }: EvaluateAllOptions = {},
): Promise<Map<string, EvaluationResult>> {
  return evaluateFetched(nix, await nix.fetchInputs(source, { env }), options)
}

/** The same, of a flake that is fetched. */
export async function evaluateFetched(
  nix: Nix,
  flake: FetchedFlake,
  { names, signal }: Omit<EvaluateAllOptions, 'env'> = {},
): Promise<Map<string, EvaluationResult>> {
  const results = new Map<string, EvaluationResult>()
  const onResult = (result: EvaluationResult): void => {
    if (results.has(result.configuration)) throw new Error(`${result.configuration} has a second result`)
    results.set(result.configuration, result)
  }
  await nix.evaluate(flake, names ?? (await nix.listConfigurations(flake, {})), {
    onResult,
    ...(signal === undefined ? {} : { signal }),
  })
  return results
}

/** The failure of a configuration; an error when it has none. */
export function failureOf(results: ReadonlyMap<string, EvaluationResult>, name: string): FailedEvaluation {
  const result = results.get(name)
  if (result?.status === 'failed') return result
  throw new Error(`${name} did not fail: ${JSON.stringify(result)}`)
}
