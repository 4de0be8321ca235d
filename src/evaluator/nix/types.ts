/** One commit of a flake, in a bare mirror on this machine. */
export interface FlakeSource {
  /** Where Git fetched it from: a URL, an scp-like address, or an absolute path. */
  remote: string
  /** Absolute path of a bare repository. */
  mirror: string
  /** The mirror's ref for this commit, such as `refs/crystal-forge/<rev>`: Nix takes no bare revision off the default branch. */
  ref: string
  /** 40 or 64 hexadecimal digits. */
  rev: string
  /** Where in the repository `flake.nix` is, relative; null for its root. */
  directory: string | null
  submodules: boolean
  /** Whether evaluating it may build and download: for flakes whose authors are trusted. */
  allowImportFromDerivation: boolean
}

export interface LockedInput {
  /** How the flake reaches it: `nixpkgs`, `home-manager/nixpkgs`. */
  name: string
  /** As in flake.lock: `github`, `git`, `tarball`, `path`… */
  type: string
  /** Where it comes from, without user, password and query. */
  url: string | null
  revision: string | null
  narHash: string | null
  /** Of the locked commit or archive. */
  lastModified: Date | null
}

/** A flake whose inputs are in the store: what can be evaluated. */
export interface FetchedFlake {
  source: FlakeSource
  inputs: LockedInput[]
  /** What `restrict-eval` lets the evaluation ask for. Nothing is downloaded: it is in the store. */
  allowedUris: string[]
}

export interface Specialisation {
  name: string
  outPath: string
}

export type FailureCause =
  | 'assertion'
  | 'forbidden'
  | 'import_from_derivation'
  | 'infinite_recursion'
  | 'missing_attribute'
  | 'missing_file'
  | 'other'
  | 'out_of_memory'
  | 'output_limit'
  | 'syntax'
  | 'throw'
  | 'timeout'
  | 'type_error'

export interface SucceededEvaluation {
  configuration: string
  status: 'succeeded'
  drvPath: string
  outPath: string
  system: string | null
  nixosVersion: string | null
  kernelVersion: string | null
  stateVersion: string | null
  /** Whether `system.configurationRevision` is set: then every commit changes `outPath`. */
  embedsRevision: boolean
  specialisations: Specialisation[]
  durationMs: number
  /** Of the process, which may have held others before. */
  peakMemoryBytes: number
}

export interface FailedEvaluation {
  configuration: string
  status: 'failed'
  cause: FailureCause
  /** Nix's own words, at most some kilobytes, without terminal codes. */
  message: string
  durationMs: number
  peakMemoryBytes: number
}

export type EvaluationResult = SucceededEvaluation | FailedEvaluation
