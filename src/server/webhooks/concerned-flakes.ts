import type { Kysely } from 'kysely'
import { Problem } from '../../protocol/problems.ts'
import { type FlakeRow, findFlakesOf, flakeKey, listFlakes } from '../../store/flakes.ts'
import type { DB } from '../../store/schema.generated.ts'
import type { Announcement, IgnoredReason } from './announcement.ts'
import { type KnownSecret, type SecretBook } from './secrets.ts'

/**
 * The flakes that an announcement, made with these secrets, has to be heard for; or why there are none. Throws Problem
 * `bad-signature` when its repository is followed, and the secrets are not those of its flakes.
 */
export async function findConcernedFlakes(
  db: Kysely<DB>,
  announcement: Announcement,
  secrets: readonly KnownSecret[],
  book: SecretBook,
): Promise<{ flakes: FlakeRow[]; ignored: IgnoredReason | null }> {
  const followed: FlakeRow[] = []
  for (const repository of announcement.repositories) followed.push(...(await findFlakesOf(db, repository)))
  const spokenFor = followed.filter((flake) => book.speaksFor(secrets, flake))
  if (followed.length > 0 && spokenFor.length === 0)
    throw new Problem('bad-signature', 'the secret is not one of the flakes of this repository')
  if (announcement.ignored !== null) return { flakes: [], ignored: announcement.ignored }
  const flakes = followed.length > 0 ? spokenFor : await findRenamed(db, secrets)
  if (flakes.length === 0) return { flakes, ignored: 'unknown_repository' }
  const tracking = flakes.filter((flake) => isTracked(flake, announcement.branch))
  return { flakes: tracking, ignored: tracking.length === 0 ? 'other_branch' : null }
}

/** A repository under a new name is still known by a secret that belongs to the flakes of one repository alone. */
async function findRenamed(db: Kysely<DB>, secrets: readonly KnownSecret[]): Promise<FlakeRow[]> {
  const owners = new Set(secrets.flatMap(({ flakes }) => [...flakes]))
  if (owners.size === 0) return []
  const owned = (await listFlakes(db)).filter((flake) => owners.has(flakeKey(flake)))
  return new Set(owned.map(({ repository }) => repository)).size === 1 ? owned : []
}

/** Until the remote was asked for its HEAD any branch may be the one. */
function isTracked({ branch, head_branch }: FlakeRow, pushed: string | null): boolean {
  const tracked = branch ?? head_branch
  return tracked === null || tracked === pushed
}
