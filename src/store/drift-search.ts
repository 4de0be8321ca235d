import { type Kysely, sql } from 'kysely'
import type { BranchCommit } from '../fleet/drift.ts'
import type { DB } from './schema.generated.ts'

/** `evaluated`: the configurations that have a result already; the others have none. */
export type UnsearchedCommit = BranchCommit & { evaluated: ReadonlySet<string> }
export type UnsearchedByFlake = Map<number, UnsearchedCommit[]>

/**
 * The commits within the search depth of each flake that are not evaluated to their end, newest first: the first-parent
 * commits among the newest `search_depth` of the branch.
 */
export async function readUnsearched(
  db: Kysely<DB>,
  flakeIds: readonly number[],
): Promise<UnsearchedByFlake> {
  if (flakeIds.length === 0) return new Map()
  const { rows } = await sql<UnsearchedRow>`
    select c.flake_id, c.id, c.position, c.arrived_at,
      array(select e.configuration from evaluations e where e.commit_id = c.id) as evaluated
    from flakes k
    join commits h on h.id = k.head_commit_id
    join commits c on c.flake_id = k.id and c.position > h.position - k.search_depth
    where k.id = any(${flakeIds}::bigint[]) and c.mainline and c.outcome is null
    order by c.flake_id, c.position desc`.execute(db)
  const commits = rows.map(({ flake_id: flakeId, arrived_at: arrivedAt, evaluated, ...commit }) => ({
    flakeId,
    commit: { ...commit, arrivedAt: arrivedAt.getTime(), evaluated: new Set(evaluated) },
  }))
  return new Map(
    [...Map.groupBy(commits, ({ flakeId }) => flakeId)].map(([flakeId, group]) => [
      flakeId,
      group.map(({ commit }) => commit),
    ]),
  )
}

interface UnsearchedRow {
  flake_id: number
  id: number
  position: number
  arrived_at: Date
  evaluated: string[]
}

/** Whether a system of the flake waits for older commits to be searched for what it runs. */
export async function isSearching(db: Kysely<DB>, flakeId: number): Promise<boolean> {
  const row = await searchingFlakes(db).where('systems.flake_id', '=', flakeId).limit(1).executeTakeFirst()
  return row !== undefined
}

/** The flakes of which a system waits for older commits to be searched, and no job waits for some of these commits. */
export async function listFlakesToSearch(db: Kysely<DB>): Promise<number[]> {
  const rows = await searchingFlakes(db)
    .distinct()
    .where(
      sql<boolean>`exists (
        select from flakes k join commits h on h.id = k.head_commit_id
          join commits c on c.flake_id = k.id and c.mainline and c.position > h.position - k.search_depth
        where k.id = systems.flake_id and k.archived_at is null and c.status in ('new', 'superseded'))`,
    )
    .execute()
  return rows.flatMap(({ flake_id: id }) => (id === null ? [] : [id]))
}

/** Whether or not the newest commit is good: a head that fails does not end the search. */
function searchingFlakes(db: Kysely<DB>) {
  return (
    db
      .selectFrom('drift')
      .innerJoin('systems', 'systems.id', 'drift.system_id')
      .select('systems.flake_id')
      .where('drift.standing', 'in', ['pending', 'unmanaged'])
      // it runs something, and there is a good commit to compare it with
      .where('drift.running_path', 'is not', null)
      .where('drift.desired_path', 'is not', null)
  )
}
