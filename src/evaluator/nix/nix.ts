import { stat } from 'node:fs/promises'
import type { NixContext } from './context.ts'
import type { Environment } from './environment.ts'
import { evaluate, type EvaluateOptions } from './evaluate.ts'
import { fetchInputs } from './fetch-inputs.ts'
import { prepareHome } from './home.ts'
import { listConfigurations } from './list-configurations.ts'
import { NixError } from './nix-error.ts'
import { findPrograms } from './programs.ts'
import { collect } from './roots.ts'
import { runNix } from './run-nix.ts'
import { writingState } from './nix-error.ts'
import { createSlots } from './slots.ts'
import type { FetchedFlake, FlakeSource } from './types.ts'

export interface NixOptions {
  /** Settings, caches and garbage collector roots are in `nix` below it, which is made. Of this evaluator alone. */
  stateDirectory: string
  /** Processes that evaluate at the same time, over all calls. */
  workers: number
  /** What they may have resident together; each gets an equal part, which the kernel enforces. */
  memoryBudgetBytes: number
  /** For each configuration, and for each other step. */
  timeoutMs: number
  /** Our own: PATH says where nix, git, prlimit and setpriv are; certificates, proxies and the daemon's socket are passed on. */
  environment: Environment
}

/** The only door to Nix (2.8 to current, and Lix). Every method rejects with a NixError for what concerns all. */
export interface Nix {
  /** Such as `nix (Nix) 2.8.0`. */
  version: () => Promise<string>
  /** The one step with network and credentials. What it fetches stays in the store until `collect`. */
  fetchInputs: (
    source: FlakeSource,
    options: { env?: Environment; signal?: AbortSignal },
  ) => Promise<FetchedFlake>
  /** In Nix's order; empty when `nixosConfigurations` is. */
  listConfigurations: (flake: FetchedFlake, options: { signal?: AbortSignal }) => Promise<string[]>
  /**
   * Every configuration once; results come as they are there. Nothing that a configuration does makes it reject, except
   * what `onResult` throws. An abort ends every process and rejects with the signal's reason.
   */
  evaluate: (
    flake: FetchedFlake,
    configurations: readonly string[],
    options: Omit<EvaluateOptions, 'signal'> & { signal?: AbortSignal },
  ) => Promise<void>
  /**
   * Deletes from the store what was fetched and written for other sources, except what has a root elsewhere on the
   * machine. Keep the newest commit of each flake: its inputs are those of the next.
   */
  collect: (keep: readonly FlakeSource[], options: { signal?: AbortSignal }) => Promise<void>
}

const NEVER = new AbortController().signal

export function createNix(options: NixOptions): Nix {
  const { stateDirectory, workers, memoryBudgetBytes, timeoutMs, environment: machine } = options
  const slots = createSlots(workers)
  const memoryBytes = Math.floor(memoryBudgetBytes / workers)
  const prepare = async (): Promise<NixContext> => {
    const programs = await findPrograms(machine['PATH'] ?? '')
    const home = await writingState(stateDirectory, () => prepareHome(stateDirectory, programs.git))
    return { programs, home, machine, slots, memoryBytes, timeoutMs }
  }
  let prepared: Promise<NixContext> | undefined
  // Asked for again after a failure: Nix may have been installed meanwhile.
  const context = (): Promise<NixContext> =>
    (prepared ??= prepare().catch((error: unknown) => {
      prepared = undefined
      throw error
    }))
  /** Which file a program is: another may take its place. One that is gone is looked for again the next time. */
  const identify = async (program: string): Promise<string> => {
    const { ino, mtimeMs } = await stat(program).catch((cause: unknown) => {
      prepared = undefined
      throw new NixError('nix_missing', `there is no ${program} any more`, { cause })
    })
    return `${ino} ${mtimeMs}`
  }
  let asked: { file: string; version: string } | undefined
  return {
    version: async () => {
      const { programs, home } = await context()
      const file = await identify(programs.nix)
      if (asked?.file !== file) {
        const run = {
          action: 'asking Nix for its version',
          env: { HOME: home.home },
          timeoutMs,
          signal: NEVER,
        }
        asked = { file, version: (await runNix(programs, ['--version'], run)).trim() }
      }
      return asked.version
    },
    fetchInputs: async (source, { env = {}, signal = NEVER }) =>
      await fetchInputs(await context(), source, { env, signal }),
    listConfigurations: async (flake, { signal = NEVER }) =>
      await listConfigurations(await context(), flake, signal),
    evaluate: async (flake, configurations, { onResult, signal = NEVER }) =>
      await evaluate(await context(), flake, configurations, { onResult, signal }),
    collect: async (keep, { signal = NEVER }) => await collect(await context(), keep, signal),
  }
}
