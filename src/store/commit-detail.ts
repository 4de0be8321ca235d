import { type Kysely, sql } from 'kysely'
import { type CommitBefore, findPrevious } from './commit-changes.ts'
import { type CommitListRow, LISTED_COMMIT } from './commit-list.ts'
import type { DB } from './schema.generated.ts'

/** An input of a flake at one commit, as flake.lock has it. */
export interface CommitInput {
  /** How the flake reaches it: `nixpkgs`, `home-manager/nixpkgs`. */
  name: string
  type: string
  url: string | null
  revision: string | null
  nar_hash: string | null
  /** Of the locked commit or archive, ISO 8601. */
  last_modified: string | null
}

export interface CommitDetail extends CommitListRow {
  flake_url: string
  /** Whether it is the newest commit of its branch. */
  is_head: boolean
  left_at: Date | null
  authored_at: Date | null
  queued_at: Date | null
  started_at: Date | null
  nix_version: string | null
  error: string | null
  /** Null until they are read. */
  inputs: CommitInput[] | null
  previous: Omit<CommitBefore, 'id'> | null
  /** While it is evaluated: how many configurations have a result, how many of them since it began, and of how many. */
  progress: { done: number; new: number; total: number | null } | null
}

/** The commits of this revision, or of this beginning of one: each flake has its own. In the order of the flakes. */
export async function findCommits(
  db: Kysely<DB>,
  sha: string,
  flakeId: number | null,
): Promise<{ id: number; flake_id: number; sha: string }[]> {
  return db
    .selectFrom('commits')
    .select(['id', 'flake_id', 'sha'])
    .where('sha', 'like', `${sha}%`)
    .$if(flakeId !== null, (query) => query.where('flake_id', '=', flakeId))
    .orderBy('flake_id')
    .orderBy('id')
    .limit(20)
    .execute()
}

/** All that is known of a commit but its evaluations, of which there may be many (`listEvaluations`), or null. */
export async function findCommitDetail(db: Kysely<DB>, id: number): Promise<CommitDetail | null> {
  const row = await db
    .selectFrom('commits')
    .innerJoin('flakes', 'flakes.id', 'commits.flake_id')
    .select(LISTED_COMMIT)
    .select([
      'flakes.url as flake_url',
      sql<boolean>`commits.id = flakes.head_commit_id`.as('is_head'),
      'commits.left_at',
      'commits.authored_at',
      'commits.queued_at',
      'commits.started_at',
      'commits.nix_version',
      'commits.error',
      INPUTS.as('inputs'),
    ])
    .where('commits.id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return null
  return {
    ...row,
    is_head: row.is_head ?? false,
    previous: await findPrevious(db, id),
    progress: await findProgress(db, id, row),
  }
}

async function findProgress(
  db: Kysely<DB>,
  id: number,
  commit: Pick<CommitDetail, 'status' | 'started_at' | 'configurations' | 'succeeded' | 'failed'>,
): Promise<CommitDetail['progress']> {
  const { status, started_at: startedAt, succeeded, failed, configurations } = commit
  if (status !== 'running' || startedAt === null) return null
  const since = await db
    .selectFrom('evaluations')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('commit_id', '=', id)
    .where('evaluated_at', '>=', startedAt)
    .executeTakeFirstOrThrow()
  return { done: succeeded + failed, new: since.count, total: configurations }
}

/** The evaluator writes them in its own terms. */
const INPUTS = sql<CommitInput[] | null>`(
  select jsonb_agg(jsonb_build_object('name', input->'name', 'type', input->'type', 'url', input->'url',
    'revision', input->'revision', 'nar_hash', input->'narHash', 'last_modified', input->'lastModified') order by place)
  from jsonb_array_elements(commits.inputs) with ordinality as element (input, place))`
