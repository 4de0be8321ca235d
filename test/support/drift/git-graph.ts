/** A commit as Git has it; the first parent is the one whose branch it continues. */
export interface GitCommit {
  sha: string
  parents: readonly GitCommit[]
}

/** Where a commit is on a branch: `position` is that of the first-parent commit that brought it in, from 0. */
export interface Place {
  position: number
  isFirstParent: boolean
}

/** The first-parent commits of a branch, oldest first. */
export function firstParents(head: GitCommit): GitCommit[] {
  const commits: GitCommit[] = []
  for (let commit: GitCommit | undefined = head; commit !== undefined; commit = commit.parents[0])
    commits.push(commit)
  return commits.toReversed()
}

/** Every commit that the branch has: each first-parent commit brings in what none before it has. */
export function placesOn(head: GitCommit): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const [position, commit] of firstParents(head).entries()) {
    const open = [...commit.parents]
    while (open.length > 0) {
      const ancestor = open.pop()
      if (ancestor === undefined || places.has(ancestor.sha)) continue
      places.set(ancestor.sha, { position, isFirstParent: false })
      open.push(...ancestor.parents)
    }
    places.set(commit.sha, { position, isFirstParent: true })
  }
  return places
}
