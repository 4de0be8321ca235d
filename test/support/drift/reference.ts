import type { Commit, Flake, Given, History, Result, System, Time } from './history.ts'

/** How a system stands, by docs/drift.md. Commits are `<flake> <sha>`. */
export interface Verdict {
  state: string
  since: Time
  standing: string
  standingSince: Time
  reason: string | null
  runningPath: string | null
  desiredPath: string | null
  runningCommit: string | null
  desiredCommit: string | null
  headCommit: string | null
  specialisation: string | null
  configuration: string | null
  commitsBehind: number | null
  commitsUnknown: number | null
}

type Ruling = Pick<Verdict, 'state' | 'since'> & Partial<Verdict>

/**
 * How a system stands, from the whole history: slow and obvious, the lines of docs/drift.md, one after the other.
 * `before` is its verdict a step earlier.
 */
export function judgeByHistory(history: History, system: System, before: Verdict | null): Verdict {
  const running = runningOf(system)
  const ruling = rule(history, system, before)
  const isPinned = system.pinnedPath !== null
  const good = system.flake === null ? undefined : newestGood(system, system.flake)
  return {
    reason: null,
    runningCommit: null,
    specialisation: null,
    configuration: null,
    commitsBehind: null,
    commitsUnknown: null,
    runningPath: running?.path ?? null,
    desiredPath: system.pinnedPath ?? good?.result.path ?? null,
    desiredCommit: isPinned || good === undefined ? null : nameOf(good.commit),
    headCommit: system.flake?.head ? `${system.flake.name} ${system.flake.head.sha}` : null,
    standing: ruling.state,
    standingSince: ruling.since,
    ...ruling,
  }
}

export const nameOf = (commit: Commit): string => `${commit.flake.name} ${commit.sha}`

function rule(history: History, system: System, before: Verdict | null): Ruling {
  const running = runningOf(system)
  if (running === null)
    return {
      state: 'no_report',
      since: system.registeredAt,
      reason: system.reports.length > 0 ? 'unreadable' : null,
    }
  const since = Math.max(system.assignedAt, running.since)
  if (system.pinnedPath !== null)
    return { state: running.path === system.pinnedPath ? 'in_sync' : 'pinned_mismatch', since }
  if (system.flake === null) return { state: 'unassigned', since }
  const standing = standingOf(history, system, system.flake, running, before)
  const unsettled = headOf(system, system.flake)
  if (unsettled === null) return standing ?? { state: 'never', since }
  if (standing === null) return unsettled
  return {
    ...standing,
    standing: standing.standing ?? standing.state,
    standingSince: standing.since,
    ...unsettled,
  }
}

/** What the newest report says, and since when every report says so, as far as the host's clock can be right. */
function runningOf(system: System): { path: string; since: Time } | null {
  let running: { path: string | null; since: Time } | null = null
  for (const { path, observedAt, receivedAt } of system.reports) {
    const observed = Math.min(observedAt, receivedAt)
    if (running === null) running = { path, since: observed }
    else if (running.path !== path) running = { path, since: Math.max(running.since, observed) }
  }
  return running === null || running.path === null ? null : { path: running.path, since: running.since }
}

const configurationOf = (system: System): string => system.configuration ?? system.name

type Outcome = Result | 'not_in_flake' | 'unknown'

function outcomeOf(commit: Commit, configuration: string): Outcome {
  const result = commit.results.get(configuration)
  if (result !== undefined) return result
  if (commit.outcome === 'failed') return 'failed'
  return commit.outcome === 'evaluated' ? 'not_in_flake' : 'unknown'
}

interface Good {
  commit: Commit
  result: Exclude<Result, 'failed'>
}

/** The good evaluations of the branch, newest first. */
function goodOnes(system: System, flake: Flake): Good[] {
  return flake.branch.flatMap((commit) => {
    const result = outcomeOf(commit, configurationOf(system))
    return typeof result === 'string' ? [] : [{ commit, result }]
  })
}

const newestGood = (system: System, flake: Flake): Good | undefined => goodOnes(system, flake)[0]

/** What keeps the newest commit from saying what to run. */
function headOf(system: System, flake: Flake): Ruling | null {
  const { branch } = flake
  const [head] = branch
  if (head === undefined) return { state: 'pending', since: system.assignedAt, reason: null }
  const outcome = outcomeOf(head, configurationOf(system))
  if (typeof outcome !== 'string') return null
  if (outcome === 'unknown')
    return { state: 'pending', since: Math.max(system.assignedAt, head.arrivedAt), reason: null }
  const good = newestGood(system, flake)
  const newer = good === undefined ? branch : branch.slice(0, branch.indexOf(good.commit))
  const failed = newer.filter((commit) => {
    const each = outcomeOf(commit, configurationOf(system))
    return each === 'failed' || each === 'not_in_flake'
  })
  return {
    state: 'evaluation_failed',
    since: Math.max(system.assignedAt, Math.min(...failed.map((commit) => commit.arrivedAt))),
    reason: outcome === 'failed' ? null : outcome,
  }
}

/** Null where `path` is neither the system nor one of its specialisations. */
function runsAs(result: Result, path: string): { specialisation: string | null } | null {
  if (result === 'failed') return null
  if (result.path === path) return { specialisation: null }
  const names = result.specialisations.filter((each) => each.path === path).map((each) => each.name)
  return names.length === 0 ? null : { specialisation: names.toSorted()[0] ?? null }
}

/** How what runs stands to the newest good commit. */
function standingOf(
  history: History,
  system: System,
  flake: Flake,
  running: { path: string; since: Time },
  before: Verdict | null,
): Ruling | null {
  const goods = goodOnes(system, flake)
  const [good] = goods
  if (good === undefined) return null
  const since = Math.max(system.assignedAt, running.since)
  const index = goods.findIndex(({ result }) => runsAs(result, running.path) !== null)
  const match = goods[index]
  if (match !== undefined) {
    const found = { runningCommit: nameOf(match.commit), ...runsAs(match.result, running.path) }
    if (index === 0) {
      const first = goods.findIndex(({ result }) => runsAs(result, running.path) === null)
      const run = first === -1 ? goods : goods.slice(0, first)
      const arrived = Math.min(...run.map(({ commit }) => commit.arrivedAt))
      const wasInSync = before?.standing === 'in_sync' && before.runningPath === running.path
      return {
        state: 'in_sync',
        since: Math.max(since, wasInSync ? before.standingSince : arrived),
        ...found,
      }
    }
    const later = goods.slice(0, index).toReversed()
    const changes = later.filter(
      ({ result }, at) => result.path !== (at === 0 ? match : later[at - 1])?.result.path,
    )
    return {
      state: 'behind',
      since: Math.max(since, changes[0]?.commit.arrivedAt ?? since),
      commitsBehind: changes.length,
      commitsUnknown: unknownBetween(system, flake, match.commit, good.commit),
      ...found,
    }
  }
  return elsewhere(history, system, flake, running.path, since) ?? search(system, flake, running, since)
}

/** First-parent commits that are newer than `from` and older than `to`, known or not, without a result. */
function unknownBetween(system: System, flake: Flake, from: Commit, to: Commit): number {
  const place = (commit: Commit) => flake.places.get(commit.sha)?.position ?? -1
  return flake.chain.filter(({ sha }, position) => {
    const isNewer = position > place(from) || (position === place(from) && sha !== from.sha)
    const commit = flake.commits.get(sha)
    const isUnknown = commit === undefined || outcomeOf(commit, configurationOf(system)) === 'unknown'
    return isNewer && position < place(to) && isUnknown
  }).length
}

/** Another commit, or another configuration, gives what it runs; the newest counts, an own configuration's first. */
function elsewhere(history: History, system: System, flake: Flake, path: string, since: Time): Ruling | null {
  const own: { ruling: Ruling; commit: Commit }[] = []
  const others: { ruling: Ruling; commit: Commit }[] = []
  for (const { commit, configuration } of history.givenBy(path).toSorted(byConfiguration)) {
    const runs = runsAs(commit.results.get(configuration) ?? 'failed', path)
    if (runs === null) continue
    const found = { ...runs, runningCommit: nameOf(commit) }
    const isOwn = configuration === configurationOf(system) && commit.flake.repository === flake.repository
    if (!isOwn)
      others.push({ commit, ruling: { state: 'wrong_configuration', since, configuration, ...found } })
    else if (!flake.branch.some(({ sha }) => sha === commit.sha)) {
      const leftAt = commit.flake === flake ? (commit.leftAt ?? since) : since
      own.push({ commit, ruling: { state: 'off_branch', since: Math.max(since, leftAt), ...found } })
    }
  }
  const [newest] = (own.length > 0 ? own : others).toSorted((a, b) => b.commit.number - a.commit.number)
  return newest?.ruling ?? null
}

const byConfiguration = (a: Given, b: Given): number => (a.configuration < b.configuration ? -1 : 1)

/** No commit explains it: unmanaged, once each of the newest commits was looked at. */
function search(system: System, flake: Flake, running: { path: string; since: Time }, since: Time): Ruling {
  const open = flake.chain
    .slice(-flake.searchDepth)
    .flatMap(({ sha }) => flake.commits.get(sha) ?? [])
    .filter((commit) => outcomeOf(commit, configurationOf(system)) === 'unknown')
  if (open.length === 0) return { state: 'unmanaged', since }
  // it is observed at the beginning of a step, and a commit arrives after that
  const mayExplain = open.some((commit) => commit.arrivedAt < running.since)
  return {
    state: 'pending',
    reason: 'searching',
    since,
    standing: mayExplain ? 'pending' : 'unmanaged',
    standingSince: since,
  }
}
