import { Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import type { Asked } from '../../store/asked-evaluations.ts'
import type { CommitBefore } from '../../store/commit-changes.ts'
import { findCommits } from '../../store/commit-detail.ts'
import { COMMIT_STATUSES, type CommitListRow, type CommitPlace } from '../../store/commit-list.ts'
import type { ServerContext } from '../context.ts'
import { oneOf, TextOrNull } from './schemas.ts'

/** As many first digits as Git shows, or more; an index finds them. */
export const SHA_PATTERN = '^[0-9a-f]{7,64}$'

/** The first parent, of a commit that has one on the branch. */
export const PreviousOrNull = Type.Unsafe<Omit<CommitBefore, 'id'> | null>({
  type: ['object', 'null'],
  properties: { sha: Type.String(), subject: TextOrNull, status: oneOf(COMMIT_STATUSES) },
  required: ['sha', 'subject', 'status'],
  description: 'The first parent; null: it is not known, or this is no first-parent commit of the branch',
})

/** A place in the order of a branch, for `next`: position, mainline and id. */
export const PLACE_PATTERN = '^[0-9]{1,9}-[01]-[0-9]{1,15}$'

export function formatPlace({ position, mainline, id }: CommitListRow): string {
  return `${position}-${mainline ? 1 : 0}-${id}`
}

export function readPlace(text: string): CommitPlace {
  const [position = 0, mainline, id = 0] = text.split('-').map(Number)
  return { position, mainline: mainline === 1, id }
}

/** The commit a path names. Throws Problem not-found, or conflict where it could be several. */
export async function requireCommit(context: ServerContext, sha: string, flakeId: number | undefined) {
  const commits = await findCommits(context.db, sha, flakeId ?? null)
  const [commit] = commits
  if (commit === undefined)
    throw new Problem(
      'not-found',
      `there is no commit ${sha}${flakeId === undefined ? '' : ` of flake ${flakeId}`}`,
    )
  if (commits.length === 1) return commit
  if (commits.some((each) => each.sha !== commit.sha))
    throw new Problem('conflict', `several commits begin with ${sha}: give more of its digits`)
  throw new Problem(
    'conflict',
    `several flakes have this commit: say of which, with ?flake=${commits.map((each) => each.flake_id).join(' or ')}`,
  )
}

/** Throws Problem conflict unless what was asked for waits now. */
export function refuseUnasked(asked: Asked, { sha, flake_id }: { sha: string; flake_id: number }): void {
  if (asked.result === 'flake-archived')
    throw new Problem('conflict', `flake ${flake_id} is archived: its commits are not evaluated`)
  if (asked.result === 'under-way')
    throw new Problem(
      'conflict',
      `commit ${sha} waits to be evaluated or is being evaluated: ask when that is done`,
    )
}
