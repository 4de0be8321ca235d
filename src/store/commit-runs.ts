import { type Kysely, sql, type Transaction } from 'kysely'
import { countChanges } from './commit-counts.ts'
import { lockFlake } from './commits.ts'
import { updateDrift } from './drift.ts'
import type { DB } from './schema.generated.ts'

/** A commit whose turn to be evaluated has come, with what decides whether it still is to be. */
export interface CommitToEvaluate {
  id: number
  flakeId: number
  sha: string
  status: 'new' | 'queued' | 'running' | 'evaluated' | 'failed' | 'superseded'
  isHead: boolean
  /** Among the newest `search_depth` first-parent commits of the branch. */
  withinSearch: boolean
  flakeArchived: boolean
}

export async function findCommitToEvaluate(
  db: Kysely<DB>,
  commitId: number,
): Promise<CommitToEvaluate | null> {
  const row = await db
    .selectFrom('commits')
    .innerJoin('flakes', 'flakes.id', 'commits.flake_id')
    .leftJoin('commits as head', 'head.id', 'flakes.head_commit_id')
    .select([
      'commits.id',
      'commits.flake_id as flakeId',
      'commits.sha',
      'commits.status',
      sql<boolean>`commits.id = flakes.head_commit_id`.as('isHead'),
      sql<boolean>`commits.mainline and coalesce(commits.position > head.position - flakes.search_depth, false)`.as(
        'withinSearch',
      ),
      sql<boolean>`flakes.archived_at is not null`.as('flakeArchived'),
    ])
    .where('commits.id', '=', commitId)
    .executeTakeFirst()
  return row ?? null
}

/**
 * Those of the commits that are not evaluated, with `again` all of them, locked until the transaction ends. Also those that
 * are said to be queued or to run: whether a job is there only the queue knows.
 */
export async function listQueueable(
  transaction: Transaction<DB>,
  commitIds: readonly number[],
  { again }: { again: boolean },
): Promise<number[]> {
  if (commitIds.length === 0) return []
  const rows = await transaction
    .selectFrom('commits')
    .select('id')
    .where('id', 'in', [...commitIds])
    .$if(!again, (query) => query.where('status', 'not in', ['evaluated', 'failed']))
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  return rows.map((row) => row.id)
}

/** Puts commits in the queue's state: a job for each was sent. */
export async function markQueued(db: Kysely<DB>, commitIds: readonly number[]): Promise<void> {
  if (commitIds.length === 0) return
  await db
    .updateTable('commits')
    .set({ status: 'queued', queued_at: sql`now()`, started_at: null, finished_at: null })
    .where('id', 'in', [...commitIds])
    .execute()
}

/** It was asked for, but nobody needs it any more. */
export async function markSuperseded(db: Kysely<DB>, commitId: number): Promise<void> {
  await db.updateTable('commits').set({ status: 'superseded' }).where('id', '=', commitId).execute()
}

export async function markRunning(db: Kysely<DB>, commitId: number, nixVersion: string): Promise<void> {
  await db
    .updateTable('commits')
    .set({
      status: 'running',
      started_at: sql`now()`,
      finished_at: null,
      nix_version: nixVersion,
      cause: null,
      error: null,
    })
    .where('id', '=', commitId)
    .execute()
}

/** What the flake has at this commit, known before its configurations are evaluated. */
export async function recordContents(
  db: Kysely<DB>,
  commitId: number,
  contents: { configurations: number; inputs: unknown },
): Promise<void> {
  await db
    .updateTable('commits')
    .set({ configurations: contents.configurations, inputs: JSON.stringify(contents.inputs) })
    .where('id', '=', commitId)
    .execute()
}

export type CommitOutcome =
  | { status: 'evaluated' }
  /** For all its configurations. `canHeal`: it is tried again at the next poll while it is the newest. */
  | { status: 'failed'; cause: string; error: string; canHeal: boolean }

/** Ends the evaluation of a commit, judges the flake's systems anew and notes the event, in one transaction. */
export async function finishCommit(
  db: Kysely<DB>,
  commit: { id: number; flakeId: number },
  outcome: CommitOutcome,
): Promise<void> {
  const { status } = outcome
  const failure = outcome.status === 'failed' ? outcome : { cause: null, error: null, canHeal: false }
  const { cause, error, canHeal } = failure
  await db.transaction().execute(async (transaction) => {
    await lockFlake(transaction, commit.flakeId)
    await transaction
      .updateTable('commits')
      .set({ status, outcome: status, finished_at: sql`now()`, cause, error, can_heal: canHeal })
      .where('id', '=', commit.id)
      .execute()
    await sql`
      insert into events (kind, flake_id, commit_id, details)
      select 'evaluation', ${commit.flakeId}, ${commit.id}, jsonb_build_object('status', ${status}::text, 'cause', ${cause}::text,
        'succeeded', count(*) filter (where status = 'succeeded'), 'failed', count(*) filter (where status = 'failed'))
      from evaluations where commit_id = ${commit.id}`.execute(transaction)
    await countChanges(transaction, commit.id)
    await updateDrift(transaction, { flakeId: commit.flakeId })
  })
}

/** It waits to be tried again: it failed for a reason that can heal, or its evaluator stopped (null). */
export async function markWaiting(
  db: Kysely<DB>,
  commitId: number,
  failure: { cause: string; error: string } | null,
): Promise<void> {
  const { cause, error } = failure ?? { cause: null, error: null }
  await db
    .updateTable('commits')
    .set({ status: 'queued', queued_at: sql`now()`, cause, error })
    .where('id', '=', commitId)
    .execute()
}
