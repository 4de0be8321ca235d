import type { Kysely } from 'kysely'
import type { Logger } from '../lib/log.ts'
import type { FlakeRow } from '../store/flakes.ts'
import type { JobRequests } from '../store/job-queue.ts'
import type { DB } from '../store/schema.generated.ts'
import type { Credentials } from './credentials.ts'
import type { Mirror } from './git/mirror.ts'
import type { Nix } from './nix/nix.ts'

/** What every job of an evaluator works with. */
export interface EvaluatorContext {
  db: Kysely<DB>
  log: Logger
  jobs: JobRequests
  nix: Nix
  flakes: FlakeAccess
}

/** Where a flake is on this machine, and what may read it. */
export interface FlakeAccess {
  mirror: (flake: FlakeRow) => Mirror
  /** Absolute path of the bare repository. */
  mirrorDirectory: (flake: FlakeRow) => string
  credentials: (flake: FlakeRow) => Credentials
}
