import type { Environment } from './environment.ts'
import type { NixHome } from './home.ts'
import type { Programs } from './programs.ts'
import type { Slots } from './slots.ts'

/** What the steps of one evaluator share. */
export interface NixContext {
  programs: Programs
  home: NixHome
  /** Our own environment, of which Nix gets a few variables. */
  machine: Environment
  /** One for each process that may evaluate at the same time. */
  slots: Slots
  /** What each of them may have resident. */
  memoryBytes: number
  timeoutMs: number
}
