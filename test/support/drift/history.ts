import { firstParents, type GitCommit, type Place, placesOn } from './git-graph.ts'

/** Times are the numbers of the steps of the history. */
export type Time = number

export type Result = 'failed' | { path: string; specialisations: readonly { name: string; path: string }[] }

/** A commit that a flake's branch had at some time. */
export interface Commit {
  flake: Flake
  sha: string
  /** How many commits of all flakes were known before it. */
  number: number
  arrivedAt: Time
  leftAt: Time | null
  /** How the evaluation of the whole commit ended; null while it has not. */
  outcome: 'evaluated' | 'failed' | null
  results: Map<string, Result>
}

export interface Flake {
  name: string
  repository: string
  searchDepth: number
  head: GitCommit | null
  places: Map<string, Place>
  /** The first-parent commits of the branch, oldest first, known or not. */
  chain: GitCommit[]
  /** Every commit that was ever known, by its sha. */
  commits: Map<string, Commit>
  /** The known commits that the branch has, newest first. */
  branch: Commit[]
}

export interface System {
  name: string
  registeredAt: Time
  assignedAt: Time
  flake: Flake | null
  configuration: string | null
  pinnedPath: string | null
  isArchived: boolean
  reports: { path: string | null; observedAt: Time; receivedAt: Time }[]
}

export interface Assignment {
  flake: Flake | null
  configuration: string | null
  pinnedPath: string | null
}

export interface Given {
  commit: Commit
  configuration: string
}

/** All that ever happened, in plain arrays. */
export class History {
  readonly systems: System[] = []
  readonly flakes: Flake[] = []
  #commits = 0
  readonly #given = new Map<string, Map<string, Given>>()

  addFlake(flake: Pick<Flake, 'name' | 'repository' | 'searchDepth'>): Flake {
    const nothing = { head: null, places: new Map(), chain: [], commits: new Map(), branch: [] }
    const added = { ...flake, ...nothing }
    this.flakes.push(added)
    return added
  }

  addSystem(now: Time, name: string, assignment: Assignment): System {
    const times = { registeredAt: now, assignedAt: now }
    const added = { name, ...assignment, ...times, isArchived: false, reports: [] }
    this.systems.push(added)
    return added
  }

  assign(now: Time, system: System, assignment: Assignment): void {
    const isSame =
      system.flake === assignment.flake &&
      system.configuration === assignment.configuration &&
      system.pinnedPath === assignment.pinnedPath
    Object.assign(system, assignment, isSame ? {} : { assignedAt: now })
  }

  /** The branch is at `head` now; the commits that come to be known are `seen`, oldest first, as far as they are new. */
  push(now: Time, flake: Flake, head: GitCommit, seen: readonly GitCommit[]): void {
    const before = flake.places
    flake.head = head
    flake.places = placesOn(head)
    flake.chain = firstParents(head)
    for (const commit of flake.commits.values()) {
      if (before.has(commit.sha) && !flake.places.has(commit.sha)) commit.leftAt = now
      if (!before.has(commit.sha) && flake.places.has(commit.sha)) {
        commit.arrivedAt = now
        commit.leftAt = null
      }
    }
    for (const { sha } of seen) {
      if (flake.commits.has(sha)) continue
      const number = (this.#commits += 1)
      flake.commits.set(sha, {
        flake,
        sha,
        number,
        arrivedAt: now,
        leftAt: null,
        outcome: null,
        results: new Map(),
      })
    }
    flake.branch = sortedBranch(flake)
  }

  evaluate(commit: Commit, configuration: string, result: Result): void {
    commit.results.set(configuration, result)
    if (result === 'failed') return
    for (const path of [result.path, ...result.specialisations.map((each) => each.path)]) {
      const given = this.#given.get(path) ?? new Map<string, Given>()
      this.#given.set(path, given.set(`${commit.number} ${configuration}`, { commit, configuration }))
    }
  }

  /** What gives this path, or once gave it. */
  givenBy(path: string): Given[] {
    return [...(this.#given.get(path)?.values() ?? [])]
  }
}

/** A commit's place is that of the first-parent commit that brought it in, which is newer than what it brought. */
function sortedBranch(flake: Flake): Commit[] {
  const place = ({ sha }: Commit): Place => flake.places.get(sha) ?? { position: -1, isFirstParent: false }
  return [...flake.commits.values()]
    .filter(({ sha }) => flake.places.has(sha))
    .toSorted(
      (a, b) =>
        place(b).position - place(a).position ||
        Number(place(b).isFirstParent) - Number(place(a).isFirstParent) ||
        b.number - a.number,
    )
}
