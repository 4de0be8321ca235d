import { isBranchName } from '../../lib/config/value-kinds.ts'
import { invalidAt, Problem } from '../../protocol/problems.ts'
import { type FlakeDetail, findFlakeDetail } from '../../store/flake-list.ts'
import { type FlakeSettings, identifyFlake } from '../../store/flakes.ts'
import type { ServerContext } from '../context.ts'

/** The flake a path names, archived or not. Throws Problem not-found. */
export async function requireFlake(context: ServerContext, id: number): Promise<FlakeDetail> {
  const flake = await findFlakeDetail(context.db, id)
  if (flake === null) throw noSuchFlake(id)
  return flake
}

export const noSuchFlake = (id: number): Problem => new Problem('not-found', `there is no flake ${id}`)

/** Checks the address and branch of a request body. Throws Problem invalid, which never quotes them: they may hold a token. */
export function checkFlake(flake: Pick<FlakeSettings, 'url' | 'branch'>): void {
  if (flake.branch !== null && !isBranchName(flake.branch))
    throw invalidAt('/body/branch', 'must be a branch name such as "main"')
  try {
    identifyFlake(flake)
  } catch (error) {
    throw invalidAt('/body/url', error instanceof Error ? error.message : 'must be a Git URL', error)
  }
}
