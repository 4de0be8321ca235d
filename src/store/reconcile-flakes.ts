import { sql, type Transaction } from 'kysely'
import { updateDrift } from './drift.ts'
import {
  addFlake,
  DEFAULT_SEARCH_DEPTH,
  type FlakeSettings,
  identifyFlake,
  recordFlake,
  type FlakeIdentity,
  flakeKey,
} from './flakes.ts'
import type { DB } from './schema.generated.ts'

type Wanted = FlakeSettings & FlakeIdentity
type Known = FlakeIdentity & { id: number; search_depth: number }

/**
 * Makes the database say which flakes the configuration declares, before it says which systems have them: declared ones
 * are there and followed, and those that are no longer declared archived, unless a system that the configuration does not
 * declare has them. A flake whose branch was changed stays the same flake, with its systems. Returns the ids of those that
 * it archived. Throws, with nothing changed, when a URL is none, or two declarations mean one flake.
 */
export async function reconcileFlakes(
  transaction: Transaction<DB>,
  flakes: readonly FlakeSettings[],
): Promise<number[]> {
  const wanted = identifyAll(flakes)
  // against who has not the fleet's lock but the flake's row alone: one that is added by hand, a poll, a failed sync
  const before = await transaction
    .selectFrom('flakes')
    .select(['id', 'repository', 'directory', 'branch', 'search_depth', 'declared'])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  const dropped = before.filter(
    (flake) => flake.declared && !wanted.some((each) => flakeKey(each) === flakeKey(flake)),
  )
  for (const flake of wanted) {
    const there = before.find((each) => flakeKey(each) === flakeKey(flake)) ?? takePredecessor(dropped, flake)
    if (there !== undefined) await follow(transaction, there, flake)
    const { id } = await addFlake(transaction, flake, true)
    if (there !== undefined && there.search_depth !== flake.searchDepth)
      await updateDrift(transaction, { flakeId: id })
  }
  return undeclare(transaction, dropped)
}

function identifyAll(flakes: readonly FlakeSettings[]): Wanted[] {
  const places = new Map<string, number>()
  return flakes.map((flake, index) => {
    const identity = identify(flake, index)
    const other = places.get(flakeKey(identity))
    if (other !== undefined)
      throw new Error(
        `flakes[${index}].url names the same repository, directory and branch as flakes[${other}].url, ` +
          'in another way: declare it once',
      )
    places.set(flakeKey(identity), index)
    return { ...flake, ...identity }
  })
}

function identify(flake: FlakeSettings, index: number) {
  try {
    return identifyFlake(flake)
  } catch (error) {
    throw new Error(`flakes[${index}].url ${error instanceof Error ? error.message : 'is no Git URL'}`, {
      cause: error,
    })
  }
}

/** Takes out of `dropped` the flake that had this repository and directory until now. */
function takePredecessor(dropped: Known[], { repository, directory }: Wanted): Known | undefined {
  const index = dropped.findIndex((flake) => flake.repository === repository && flake.directory === directory)
  return index === -1 ? undefined : dropped.splice(index, 1)[0]
}

/** Another branch is asked for its head at once; until then its systems have what the one before said. */
async function follow(transaction: Transaction<DB>, there: Known, { url, branch }: Wanted): Promise<void> {
  if (there.branch === branch) return
  await recordFlake(transaction, 'flake.change', there.id, () =>
    transaction
      .updateTable('flakes')
      .set({ url, branch, next_poll_at: sql`now()` })
      .where('id', '=', there.id)
      .execute(),
  )
}

/** What only a declaration may allow ends with it. */
async function undeclare(transaction: Transaction<DB>, dropped: readonly Known[]): Promise<number[]> {
  const archived: number[] = []
  for (const { id, search_depth } of dropped) {
    const row = await recordFlake(transaction, 'flake.archive', id, () =>
      transaction
        .updateTable('flakes')
        .set({
          declared: false,
          allow_import_from_derivation: false,
          search_depth: DEFAULT_SEARCH_DEPTH,
          archived_at: sql`case when not exists (
            select from systems
            where systems.flake_id = flakes.id and systems.archived_at is null and not systems.declared)
            then now() end`,
        })
        .where('id', '=', id)
        .returning('archived_at')
        .executeTakeFirstOrThrow(),
    )
    if (search_depth !== DEFAULT_SEARCH_DEPTH) await updateDrift(transaction, { flakeId: id })
    if (row.archived_at !== null) archived.push(id)
  }
  return archived
}
