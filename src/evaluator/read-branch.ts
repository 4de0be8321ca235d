import type { BranchState, KnownCommit } from '../store/commits.ts'
import type { Mirror } from './git/mirror.ts'
import type { Head } from './git/remote.ts'

/** Commits between two heads that are looked at one by one; what is older than that nobody will search. */
const MOST_COMMITS = 10_000

/**
 * What Git says of a branch, as far as the database does not know it: the newest commits, at least `searchDepth` and all
 * since the head before, and where the other known commits are now.
 */
export async function readBranch(
  mirror: Pick<Mirror, 'firstParents' | 'countFirstParents' | 'placesOf'>,
  { branch, head }: Head,
  before: { known: readonly KnownCommit[]; searchDepth: number },
  signal?: AbortSignal,
): Promise<BranchState> {
  const count = await mirror.countFirstParents(head, signal)
  const newestKnown = newestOf(before.known)
  const wanted = Math.min(MOST_COMMITS, Math.max(before.searchDepth, count - newestKnown))
  const records = await mirror.firstParents(head, wanted, signal)
  const mainline = records.map((record, index) => ({ ...record, position: count - 1 - index }))
  const positions = new Map(mainline.map(({ sha, position }) => [sha, position]))
  // the commit that was the newest is where it was: everything older is where it was too
  const grew = before.known.some(
    ({ sha, position, mainline: was }) => was && position === newestKnown && positions.get(sha) === position,
  )
  const moved = before.known
    .filter(({ sha, position }) => !positions.has(sha) && !(grew && position !== null))
    .map(({ sha }) => sha)
  const others = moved.length === 0 ? new Map() : await mirror.placesOf(moved, head, signal)
  return { branch, head, mainline, others }
}

/** The position of the newest known first-parent commit; -1: none. */
function newestOf(known: readonly KnownCommit[]): number {
  return known.reduce(
    (newest, { mainline, position }) => (mainline ? Math.max(newest, position ?? -1) : newest),
    -1,
  )
}
