import type { Kysely } from 'kysely'
import type { Logger } from '../lib/log.ts'
import type { FlakeRow } from '../store/flakes.ts'
import type { JobRequests } from '../store/job-queue.ts'
import type { DB } from '../store/schema.generated.ts'
import type { Credentials } from './credentials.ts'
import type { Mirror } from './git/mirror.ts'
import type { Nix } from './nix/nix.ts'
import type { FlakeSource } from './nix/types.ts'

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
  /** One of its commits, as Nix finds it in the mirror. */
  source: (flake: FlakeRow, sha: string) => FlakeSource
  credentials: (flake: FlakeRow) => Credentials
}
