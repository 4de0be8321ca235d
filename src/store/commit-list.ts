import { type Kysely, sql, type SqlBool } from 'kysely'
import type { DB } from './schema.generated.ts'

export const COMMIT_STATUSES = ['new', 'queued', 'running', 'evaluated', 'failed', 'superseded'] as const
export type CommitStatus = (typeof COMMIT_STATUSES)[number]

/** What the list of a flake's commits shows of one. */
export interface CommitListRow {
  id: number
  flake_id: number
  sha: string
  /** Of the first-parent commit that brought it into the branch, from 0; null: the branch does not have it. */
  position: number | null
  mainline: boolean
  author: string | null
  subject: string | null
  committed_at: Date | null
  arrived_at: Date
  signed: boolean | null
  status: CommitStatus
  finished_at: Date | null
  cause: string | null
  /** How many the flake has at this commit; null until they are listed. */
  configurations: number | null
  succeeded: number
  failed: number
  /** Have another output path than at the first parent, of those that both evaluate; null: the first parent is not evaluated. */
  changed: number | null
}

export const LISTED_COMMIT = [
  'commits.id',
  'commits.flake_id',
  'commits.sha',
  'commits.position',
  'commits.mainline',
  'commits.author',
  'commits.subject',
  'commits.committed_at',
  'commits.arrived_at',
  'commits.signed',
  'commits.status',
  'commits.finished_at',
  'commits.cause',
  'commits.configurations',
  'commits.succeeded',
  'commits.failed',
  'commits.changed',
] as const

/** A place in the order of a branch's commits: those after it are older. */
export interface CommitPlace {
  position: number
  mainline: boolean
  id: number
}

/** The commits of a flake's branch, newest first, from the one after `after`. */
export async function listCommits(
  db: Kysely<DB>,
  flakeId: number,
  page: { after: CommitPlace | null; limit: number },
): Promise<CommitListRow[]> {
  const { after } = page
  return db
    .selectFrom('commits')
    .select(LISTED_COMMIT)
    .where('flake_id', '=', flakeId)
    .where('position', 'is not', null)
    .$if(after !== null, (query) =>
      query.where(
        sql<SqlBool>`(position, mainline, id) < (${after?.position}::integer, ${after?.mainline}::boolean, ${after?.id}::bigint)`,
      ),
    )
    .orderBy('position', 'desc')
    .orderBy('mainline', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
}
