import { type Kysely, sql } from 'kysely'
import type { CommitStatus } from './commit-list.ts'
import type { DB } from './schema.generated.ts'

/** A flake with what its branch is at and how many systems have it. */
export interface FlakeDetail {
  id: number
  url: string
  /** As it was asked for; null follows the remote's HEAD. */
  branch: string | null
  declared: boolean
  allow_import_from_derivation: boolean
  search_depth: number
  created_at: Date
  archived_at: Date | null
  /** That are not archived. */
  systems: number
  /** The branch that was followed at the last sync, and its newest commit. */
  head_branch: string | null
  head_sha: string | null
  head_subject: string | null
  head_status: CommitStatus | null
  head_arrived_at: Date | null
  synced_at: Date | null
  sync_failed_at: Date | null
  sync_error: string | null
  next_poll_at: Date
}

/** All flakes that are not archived, in the order in which they were added. */
export async function listFlakeDetails(db: Kysely<DB>): Promise<FlakeDetail[]> {
  return select(db).where('flakes.archived_at', 'is', null).orderBy('flakes.id').execute()
}

/** The flake of this id, archived or not, or null. */
export async function findFlakeDetail(db: Kysely<DB>, id: number): Promise<FlakeDetail | null> {
  return (await select(db).where('flakes.id', '=', id).executeTakeFirst()) ?? null
}

function select(db: Kysely<DB>) {
  return db
    .selectFrom('flakes')
    .leftJoin('commits', 'commits.id', 'flakes.head_commit_id')
    .select([
      'flakes.id',
      'flakes.url',
      'flakes.branch',
      'flakes.declared',
      'flakes.allow_import_from_derivation',
      'flakes.search_depth',
      'flakes.created_at',
      'flakes.archived_at',
      sql<number>`(
        select count(*) from systems where systems.flake_id = flakes.id and systems.archived_at is null)`.as(
        'systems',
      ),
      'flakes.head_branch',
      'commits.sha as head_sha',
      'commits.subject as head_subject',
      'commits.status as head_status',
      'commits.arrived_at as head_arrived_at',
      'flakes.synced_at',
      'flakes.sync_failed_at',
      'flakes.sync_error',
      'flakes.next_poll_at',
    ])
}
