import { type Kysely, sql } from 'kysely'
import type { BranchCommit } from '../fleet/drift.ts'
import type { DB } from './schema.generated.ts'

export type UnsearchedByFlake = Map<number, BranchCommit[]>

/**
 * The commits within the search depth of each flake that are not evaluated, newest first: the first-parent commits among
 * the newest `search_depth` of the branch.
 */
export async function readUnsearched(
  db: Kysely<DB>,
  flakeIds: readonly number[],
): Promise<UnsearchedByFlake> {
  if (flakeIds.length === 0) return new Map()
  const { rows } = await sql<{ flake_id: number; id: number; position: number; arrived_at: Date }>`
    select c.flake_id, c.id, c.position, c.arrived_at
    from flakes k
    join commits h on h.id = k.head_commit_id
    join commits c on c.flake_id = k.id and c.position > h.position - k.search_depth
    where k.id = any(${flakeIds}::bigint[]) and c.mainline and c.status not in ('evaluated', 'failed')
    order by c.flake_id, c.position desc`.execute(db)
  const commits = rows.map(({ flake_id: flakeId, arrived_at: arrivedAt, ...commit }) => ({
    flakeId,
    commit: { ...commit, arrivedAt: arrivedAt.getTime() },
  }))
  return new Map(
    [...Map.groupBy(commits, ({ flakeId }) => flakeId)].map(([flakeId, group]) => [
      flakeId,
      group.map(({ commit }) => commit),
    ]),
  )
}

/** Whether a system of the flake waits for older commits to be searched for what it runs. */
export async function isSearching(db: Kysely<DB>, flakeId: number): Promise<boolean> {
  return (await searchingFlakes(db).where('systems.flake_id', '=', flakeId).executeTakeFirst()) !== undefined
}

/** The flakes of which a system waits for older commits to be searched, and no job waits for some of these commits. */
export async function listFlakesToSearch(db: Kysely<DB>): Promise<number[]> {
  const rows = await searchingFlakes(db)
    .where(
      sql<boolean>`exists (
        select from flakes k join commits h on h.id = k.head_commit_id
          join commits c on c.flake_id = k.id and c.mainline and c.position > h.position - k.search_depth
        where k.id = systems.flake_id and k.archived_at is null and c.status in ('new', 'superseded'))`,
    )
    .execute()
  return rows.flatMap(({ flake_id: id }) => (id === null ? [] : [id]))
}

function searchingFlakes(db: Kysely<DB>) {
  return db
    .selectFrom('drift')
    .innerJoin('systems', 'systems.id', 'drift.system_id')
    .select('systems.flake_id')
    .distinct()
    .where('drift.reason', '=', 'searching')
}
