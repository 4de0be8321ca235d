import { type Kysely, sql, type Transaction } from 'kysely'
import { lockFleet, updateDrift } from './drift.ts'
import type { DB } from './schema.generated.ts'

/** A first-parent commit of the branch, as Git has it. `position` is counted from the first commit, 0. */
export interface MainlineCommit {
  sha: string
  position: number
  author: string
  subject: string
  authoredAt: Date
  committedAt: Date
  /** Whether it carries a signature. */
  signed: boolean
}

/** What Git says of a branch. */
export interface BranchState {
  branch: string
  head: string
  /** Newest first, without gaps: those within the search depth, and those since the head before. */
  mainline: readonly MainlineCommit[]
  /** Where the known commits that are not in `mainline` are now; null: the branch does not have them. */
  others: ReadonlyMap<string, { position: number; mainline: boolean } | null>
}

export interface KnownCommit {
  id: number
  sha: string
  position: number | null
  mainline: boolean
}

/** Every commit of the flake that is known. */
export async function listKnownCommits(db: Kysely<DB>, flakeId: number): Promise<KnownCommit[]> {
  return db
    .selectFrom('commits')
    .select(['id', 'sha', 'position', 'mainline'])
    .where('flake_id', '=', flakeId)
    .execute()
}

/** The newest commit as it is recorded, and how many commits within the search depth are not; null before the first sync. */
export async function findHeadState(db: Kysely<DB>, flakeId: number) {
  const row = await db
    .selectFrom('flakes')
    .innerJoin('commits', 'commits.id', 'flakes.head_commit_id')
    .select([
      'commits.sha',
      'commits.status',
      'commits.can_heal as canHeal',
      'flakes.head_branch as branch',
      sql<number>`least(flakes.search_depth, commits.position + 1) - (
        select count(*) from commits c
        where c.flake_id = flakes.id and c.mainline and c.position > commits.position - flakes.search_depth)`.as(
        'missing',
      ),
    ])
    .where('flakes.id', '=', flakeId)
    .executeTakeFirst()
  return row ?? null
}

/** Git was asked, and nothing moved. */
export async function recordUnchanged(db: Kysely<DB>, flakeId: number): Promise<void> {
  await db
    .updateTable('flakes')
    .set({ synced_at: sql`now()`, sync_failed_at: null, sync_error: null })
    .where('id', '=', flakeId)
    .execute()
}

/**
 * Makes the database say what Git says of a flake's branch, and judges its systems anew, in one transaction; `follow`
 * runs in it, for the jobs that follow from it. Commits that the branch does not have any more stay, without a position.
 * Returns the id of the head, and whether it is another than before.
 */
export async function recordBranch(
  db: Kysely<DB>,
  flakeId: number,
  state: BranchState,
  follow: (transaction: Transaction<DB>, head: RecordedHead) => Promise<void>,
): Promise<RecordedHead> {
  return db.transaction().execute(async (transaction) => {
    const before = await lockFlake(transaction, flakeId)
    await insertMainline(transaction, flakeId, state.mainline)
    await moveOthers(transaction, flakeId, state)
    const head = await findHead(transaction, flakeId, state.head)
    const recorded = { commitId: head.id, moved: head.id !== before.head_commit_id }
    await transaction
      .updateTable('flakes')
      .set({
        head_branch: state.branch,
        head_commit_id: head.id,
        synced_at: sql`now()`,
        sync_failed_at: null,
        sync_error: null,
      })
      .where('id', '=', flakeId)
      .execute()
    if (recorded.moved) await noteHead(transaction, flakeId, before, state)
    await updateDrift(transaction, { flakeId })
    await follow(transaction, recorded)
    return recorded
  })
}

export interface RecordedHead {
  commitId: number
  moved: boolean
}

/** Whoever changes what a flake's systems should run, or what a path means, begins with this. */
export async function lockFlake(transaction: Transaction<DB>, flakeId: number) {
  await lockFleet(transaction, 'commits')
  return transaction
    .selectFrom('flakes')
    .leftJoin('commits', 'commits.id', 'flakes.head_commit_id')
    .select(['flakes.head_commit_id', 'flakes.head_branch', 'commits.sha as head_sha'])
    .where('flakes.id', '=', flakeId)
    .forNoKeyUpdate(['flakes'])
    .executeTakeFirstOrThrow()
}

async function insertMainline(
  transaction: Transaction<DB>,
  flakeId: number,
  mainline: readonly MainlineCommit[],
) {
  const rows = mainline.map((commit) => ({
    sha: commit.sha,
    position: commit.position,
    author: commit.author,
    subject: commit.subject,
    authored_at: commit.authoredAt,
    committed_at: commit.committedAt,
    signed: commit.signed,
  }))
  await sql`
    insert into commits as c (flake_id, sha, position, author, subject, authored_at, committed_at, signed)
    select ${flakeId}, sha, position, author, subject, authored_at, committed_at, signed
    from jsonb_populate_recordset(null::commits, ${JSON.stringify(rows)}::jsonb)
    -- the oldest first: an id is a place in the order of arrival
    order by position
    on conflict (flake_id, sha) do update set
      position = excluded.position, mainline = true, left_at = null,
      arrived_at = case when c.position is null then now() else c.arrived_at end
    where c.position is distinct from excluded.position or not c.mainline`.execute(transaction)
}

async function moveOthers(transaction: Transaction<DB>, flakeId: number, { others }: BranchState) {
  const rows = [...others].map(([sha, place]) => ({
    sha,
    position: place?.position ?? null,
    mainline: place?.mainline ?? false,
  }))
  await sql`
    update commits c set
      position = n.position,
      mainline = case when n.position is null then c.mainline else n.mainline end,
      left_at = case when n.position is null then coalesce(c.left_at, now()) end,
      arrived_at = case when c.position is null and n.position is not null then now() else c.arrived_at end
    from jsonb_populate_recordset(null::commits, ${JSON.stringify(rows)}::jsonb) n
    where c.flake_id = ${flakeId} and c.sha = n.sha
      and (c.position is distinct from n.position or (n.position is not null and c.mainline <> n.mainline))`.execute(
    transaction,
  )
}

async function findHead(transaction: Transaction<DB>, flakeId: number, sha: string) {
  return transaction
    .selectFrom('commits')
    .select(['id', 'status'])
    .where('flake_id', '=', flakeId)
    .where('sha', '=', sha)
    .executeTakeFirstOrThrow()
}

async function noteHead(
  transaction: Transaction<DB>,
  flakeId: number,
  before: { head_sha: string | null; head_branch: string | null },
  state: BranchState,
) {
  const left = before.head_sha === null ? undefined : state.others.get(before.head_sha)
  await transaction
    .insertInto('events')
    .values({
      kind: 'head',
      flake_id: flakeId,
      commit_id: (await findHead(transaction, flakeId, state.head)).id,
      details: JSON.stringify({
        branch: state.branch,
        from: before.head_sha,
        to: state.head,
        // the new head does not descend from the old one
        forced: before.head_sha !== null && left === null,
      }),
    })
    .execute()
}
