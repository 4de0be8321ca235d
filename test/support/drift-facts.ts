import {
  type BranchCommit,
  type BranchFacts,
  type Drift,
  type DriftFacts,
  judgeDrift,
} from '../../src/fleet/drift.ts'

/** The branch has the commits 1 to 9, whose positions are their ids; commit n arrived at n × 10. */
export const commit = (id: number): BranchCommit => ({ id, position: id, arrivedAt: id * 10 })
export const REGISTERED = 1
export const ASSIGNED = 5
/** Before any commit arrived. */
export const RUNNING = 7

type Until = NonNullable<BranchFacts['match']>['until']

/** A branch whose newest commit 9 gives the path `new`, and whose commits are all evaluated. */
export const branchOf = (members: Partial<BranchFacts> = {}): BranchFacts => ({
  head: { ...commit(9), outcome: 'succeeded' },
  good: { ...commit(9), path: 'new' },
  failedSince: null,
  match: null,
  elsewhere: null,
  unsearched: [],
  ...members,
})

export const headOf = (outcome: NonNullable<BranchFacts['head']>['outcome']) => ({ ...commit(9), outcome })
export const goodAt = (id: number) => ({ ...commit(id), path: 'new' })

export const matchAt = (id: number, members: Partial<NonNullable<BranchFacts['match']>> = {}) => ({
  ...commit(id),
  specialisation: null,
  runArrivedAt: id * 10,
  until: [],
  unknown: 0,
  ...members,
})

/** Good evaluations of these commits, oldest first. */
export const untilOf = (paths: Record<number, string>): Until =>
  Object.entries(paths).map(([id, path]) => ({ path, arrivedAt: Number(id) * 10 }))

export const elsewhereOf = (members: Partial<NonNullable<BranchFacts['elsewhere']>> = {}) => ({
  state: 'off_branch' as const,
  commitId: 40,
  specialisation: null,
  configuration: 'web1',
  leftAt: null,
  ...members,
})

export function judge(members: Partial<DriftFacts>): Drift {
  return judgeDrift({
    registeredAt: REGISTERED,
    assignedAt: ASSIGNED,
    pinnedPath: null,
    hasReported: true,
    running: { path: 'old', since: RUNNING },
    branch: branchOf(),
    ...members,
  })
}

export const judgeBranch = (members: Partial<BranchFacts>, more: Partial<DriftFacts> = {}): Drift =>
  judge({ branch: branchOf(members), ...more })
