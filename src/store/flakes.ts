import { type Kysely, sql, type Transaction } from 'kysely'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { recordChange, recordDifference, type State } from './audit.ts'
import type { AuditAction } from './audit-actions.ts'
import { inTransaction } from './database.ts'
import { lockFleet } from './drift.ts'
import type { DB } from './schema.generated.ts'

/** What an operator or a configuration says of a flake. `branch` null: the one of its URL, else the remote's HEAD. */
export interface FlakeSettings {
  url: string
  branch: string | null
  allowImportFromDerivation: boolean
  /** How many commits of the branch are searched for what a system runs. */
  searchDepth: number
}

export interface FlakeRow {
  id: number
  url: string
  repository: string
  directory: string | null
  branch: string | null
  declared: boolean
  allow_import_from_derivation: boolean
  search_depth: number
  archived_at: Date | null
  created_at: Date
  /** The branch that was followed at the last sync. */
  head_branch: string | null
  head_commit_id: number | null
  synced_at: Date | null
  sync_failed_at: Date | null
  sync_error: string | null
  next_poll_at: Date
}

export type FlakeIdentity = Pick<FlakeRow, 'repository' | 'directory' | 'branch'>

export const DEFAULT_SEARCH_DEPTH = 100

/**
 * What makes a flake that flake: its repository, its directory and its branch, however they are written. Throws an Error,
 * "must …", for a URL that is none.
 */
export function identifyFlake({ url, branch }: Pick<FlakeSettings, 'url' | 'branch'>): FlakeIdentity {
  const { repository, directory, branch: branchOfUrl } = parseFlakeUrl(url)
  if (branch !== null && branchOfUrl !== null && branch !== branchOfUrl)
    throw new Error('must not name another branch ("?ref=") than the one that is given beside it')
  return { repository, directory, branch: branch ?? branchOfUrl }
}

/** An identity as one text, to compare or to look up: as the unique index of `flakes` has it. */
export function flakeKey({ repository, directory, branch }: FlakeIdentity): string {
  return JSON.stringify([repository, directory, branch])
}

/**
 * Makes a flake known, or brings an archived one back with these settings; a flake is its repository, directory and
 * branch, however its URL is written. Returns its id, and whether it was there and active before, in which case nothing
 * is changed unless `declared`. Throws an Error for a URL that is none.
 */
export async function addFlake(
  db: Kysely<DB>,
  settings: FlakeSettings,
  declared: boolean,
): Promise<{ id: number; wasThere: boolean }> {
  return inTransaction(db, (transaction) => add(transaction, settings, declared))
}

async function add(
  transaction: Transaction<DB>,
  settings: FlakeSettings,
  declared: boolean,
): Promise<{ id: number; wasThere: boolean }> {
  const { repository, directory, branch } = identifyFlake(settings)
  const there = await transaction
    .selectFrom('flakes')
    .select(['id', 'archived_at'])
    .where('repository', '=', repository)
    .where(sql`coalesce(directory, '')`, '=', directory ?? '')
    .where(sql`coalesce(branch, '')`, '=', branch ?? '')
    .forUpdate()
    .executeTakeFirst()
  const values = {
    url: settings.url,
    allow_import_from_derivation: settings.allowImportFromDerivation,
    search_depth: settings.searchDepth,
    declared,
    archived_at: null,
  }
  if (there !== undefined) {
    const wasThere = there.archived_at === null
    // one that comes back is asked for its head at once, as a new one is
    const changed = wasThere ? values : { ...values, next_poll_at: sql<Date>`now()` }
    if (!wasThere || declared)
      await recordFlake(transaction, wasThere ? 'flake.change' : 'flake.add', there.id, () =>
        transaction.updateTable('flakes').set(changed).where('id', '=', there.id).execute(),
      )
    return { id: there.id, wasThere }
  }
  const added = await transaction
    .insertInto('flakes')
    .values({ ...values, repository, directory, branch })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  // another transaction added it meanwhile, and has committed
  if (added === undefined) return add(transaction, settings, declared)
  const subject = { kind: 'flake', id: added.id, name: settings.url } as const
  const after = await lookAt(transaction, added.id)
  await recordChange(transaction, { action: 'flake.add', subject, before: null, after })
  return { id: added.id, wasThere: false }
}

/** Runs `work`, which changes a flake, and records what is different. */
export async function recordFlake<T>(
  transaction: Transaction<DB>,
  action: AuditAction,
  id: number,
  work: () => Promise<T>,
): Promise<T> {
  const { url } = await transaction
    .selectFrom('flakes')
    .select('url')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const subject = { kind: 'flake', id, name: url } as const
  return recordDifference(transaction, { action, subject, look: () => lookAt(transaction, id) }, work)
}

/** What the audit trail says of a flake. */
async function lookAt(transaction: Transaction<DB>, id: number): Promise<State> {
  return transaction
    .selectFrom('flakes')
    .select([
      'url',
      'branch',
      'allow_import_from_derivation',
      'search_depth',
      'declared',
      sql<boolean>`archived_at is not null`.as('archived'),
    ])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

/**
 * The flake that a system's `flake_url` names: the one of this repository, directory and branch; where the URL names no
 * branch, the one of the repository that is followed, whatever its branch, rather one that is declared. Made known where
 * there is none.
 */
export async function findOrAddFlake(db: Kysely<DB>, url: string): Promise<number> {
  const { repository, directory, branch } = parseFlakeUrl(url)
  const row = await db
    .selectFrom('flakes')
    .select('id')
    .where('repository', '=', repository)
    .where(sql`coalesce(directory, '')`, '=', directory ?? '')
    .where('archived_at', 'is', null)
    .$if(branch !== null, (query) => query.where('branch', '=', branch))
    // then the one of the remote's HEAD
    .orderBy(sql`declared desc, branch is null desc, id`)
    .limit(1)
    .executeTakeFirst()
  if (row !== undefined) return row.id
  const settings = { url, branch: null, allowImportFromDerivation: false, searchDepth: DEFAULT_SEARCH_DEPTH }
  return (await addFlake(db, settings, false)).id
}

/** All flakes that are not archived, in the order in which they were added. */
export async function listFlakes(db: Kysely<DB>): Promise<FlakeRow[]> {
  return db.selectFrom('flakes').selectAll().where('archived_at', 'is', null).orderBy('id').execute()
}

/** The flakes that are not archived and were asked for their branch, each with the commit it is at. */
export async function listHeads(db: Kysely<DB>): Promise<{ flake: FlakeRow; sha: string }[]> {
  const rows = await db
    .selectFrom('flakes')
    .innerJoin('commits', 'commits.id', 'flakes.head_commit_id')
    .selectAll('flakes')
    .select('commits.sha')
    .where('flakes.archived_at', 'is', null)
    .orderBy('flakes.id')
    .execute()
  return rows.map(({ sha, ...flake }) => ({ flake, sha }))
}

/** The flake of this id, archived or not, or null. */
export async function findFlake(db: Kysely<DB>, id: number): Promise<FlakeRow | null> {
  return (await db.selectFrom('flakes').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

/** The flakes of a repository (`repositoryKey`) that are followed. */
export async function findFlakesOf(db: Kysely<DB>, repository: string): Promise<FlakeRow[]> {
  return db
    .selectFrom('flakes')
    .selectAll()
    .where('repository', '=', repository)
    .where('archived_at', 'is', null)
    .orderBy('id')
    .execute()
}

export type ArchiveOutcome =
  | { result: 'archived' | 'declared' | 'not-found' }
  | { result: 'in-use'; systems: number }

/** Archives a flake that no system has and no configuration declares: it is no longer followed, and what is known of it stays. */
export async function archiveFlake(db: Kysely<DB>, id: number): Promise<ArchiveOutcome> {
  return inTransaction(db, async (transaction): Promise<ArchiveOutcome> => {
    // no system gets it meanwhile
    await lockFleet(transaction, 'commits')
    const flake = await transaction
      .selectFrom('flakes')
      .select('declared')
      .where('id', '=', id)
      .executeTakeFirst()
    if (flake === undefined) return { result: 'not-found' }
    if (flake.declared) return { result: 'declared' }
    const { systems } = await transaction
      .selectFrom('systems')
      .select(sql<number>`count(*)`.as('systems'))
      .where('flake_id', '=', id)
      .where('archived_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (systems > 0) return { result: 'in-use', systems }
    await recordFlake(transaction, 'flake.archive', id, () =>
      transaction
        .updateTable('flakes')
        .set({ archived_at: sql`coalesce(archived_at, now())` })
        .where('id', '=', id)
        .execute(),
    )
    return { result: 'archived' }
  })
}

/** Records that the remote could not be asked, and why. */
export async function recordSyncFailure(db: Kysely<DB>, flakeId: number, error: string): Promise<void> {
  await db
    .updateTable('flakes')
    .set({ sync_failed_at: sql`now()`, sync_error: error })
    .where('id', '=', flakeId)
    .execute()
}

/**
 * Takes the flakes whose time to be polled has come, each for one caller, and sets their next time: `intervalMs` with a
 * fifth of jitter either way.
 */
export async function takeFlakesToPoll(db: Kysely<DB>, intervalMs: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    update flakes set next_poll_at = now() + make_interval(secs => ${intervalMs / 1000} * (0.8 + 0.4 * random()))
    where id in (
      select id from flakes where archived_at is null and next_poll_at <= now() order by id for update skip locked)
    returning id`.execute(db)
  return rows.map((row) => row.id)
}
