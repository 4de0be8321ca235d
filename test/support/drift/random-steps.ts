import { createHash } from 'node:crypto'
import type { GitCommit } from './git-graph.ts'
import type { Assignment, Commit, Flake, Result, System } from './history.ts'
import type { World } from './world.ts'

/** Where choices come from: numbers from 0 to below `count`. */
export type Choose = (count: number) => number

export const pick = <T>(choose: Choose, choices: readonly T[]): T | undefined =>
  choices[choose(choices.length)]

let made = 0

/** A commit whose sha no other has. */
export function newCommit(parents: readonly GitCommit[]): GitCommit {
  const sha = createHash('sha1')
    .update(`commit ${(made += 1)}`)
    .digest('hex')
  return { sha, parents }
}

const PUSHES = [
  'one',
  'one',
  'one',
  'two',
  'many',
  'merge',
  'merge-other',
  'reset',
  'rewrite',
  'rewrite',
  'other',
] as const

/** What somebody may do to a branch; `others` are the heads of other branches of the repository. */
export function nextHead(choose: Choose, flake: Flake, others: readonly GitCommit[]): GitCommit {
  const { head, chain } = flake
  if (head === null) return grow(pick(choose, others) ?? newCommit([]), choose(3))
  const older = pick(choose, chain) ?? head
  const other = pick(choose, others) ?? head
  switch (pick(choose, PUSHES)) {
    case 'two':
      return grow(head, 2)
    case 'many':
      return grow(head, 3 + choose(4))
    case 'merge':
      return newCommit([head, grow(older, 1 + choose(2))])
    case 'merge-other':
      return newCommit([head, other])
    case 'reset':
      return older
    case 'rewrite':
      return grow(older, 1 + choose(3))
    case 'other':
      return other
    default:
      return grow(head, 1)
  }
}

function grow(from: GitCommit, count: number): GitCommit {
  return count === 0 ? from : grow(newCommit([from]), count - 1)
}

/** Few paths, so that several commits give the same, and now and then another configuration. */
const PATHS = ['a', 'b', 'c', 'd']
const SPECIALISATIONS = ['gaming', 'minimal']

const somePath = (choose: Choose, configuration: string): string =>
  `${choose(8) === 0 ? '' : configuration}${pick(choose, PATHS)}`

function someResult(choose: Choose, configuration: string): Result {
  if (choose(5) === 0) return 'failed'
  const names = SPECIALISATIONS.filter(() => choose(4) === 0)
  return {
    path: somePath(choose, configuration),
    specialisations: names.map((name) => ({ name, path: somePath(choose, configuration) })),
  }
}

export interface Cast {
  flakes: readonly Flake[]
  systems: System[]
  configurations: readonly string[]
}

/** Three flakes, two of them of one repository, and systems that run something of the first. */
export async function createCast(world: World, choose: Choose): Promise<Cast> {
  const main = await world.addFlake('fleet', 'main', 4)
  const flakes = [main, await world.addFlake('fleet', 'next', 3), await world.addFlake('other', 'main', 100)]
  const systems: System[] = []
  for (const name of ['web1', 'web2', 'db1', 'spare'])
    systems.push(await world.addSystem(name, { flake: main, configuration: null, pinnedPath: null }))
  const cast = { flakes, systems, configurations: [...systems.map(({ name }) => name), 'shared'] }
  await randomPush(world, cast, main, choose)
  await world.steps.next()
  for (const system of systems) await report(world, system, choose)
  return cast
}

function someAssignment(choose: Choose, { flakes, configurations }: Cast): Assignment {
  const flake = choose(2) === 0 ? flakes[0] : pick(choose, flakes)
  return {
    flake: choose(8) === 0 ? null : (flake ?? null),
    configuration: choose(3) > 0 ? null : (pick(choose, configurations) ?? null),
    pinnedPath: choose(8) === 0 ? somePath(choose, configurations[0] ?? '') : null,
  }
}

const WEIGHTS = {
  push: 4,
  evaluate: 6,
  'evaluate-head': 5,
  finish: 4,
  again: 1,
  report: 7,
  assign: 1,
  archive: 1,
  'bring-back': 1,
  add: 1,
}
type Step = keyof typeof WEIGHTS
const isStep = (name: string): name is Step => name in WEIGHTS
const STEPS = Object.keys(WEIGHTS)
  .filter(isStep)
  .flatMap((step) => Array.from({ length: WEIGHTS[step] }, () => step))

/** Does one thing that may happen, and says which. */
export async function randomStep(world: World, cast: Cast, choose: Choose): Promise<string> {
  const kind = pick(choose, STEPS) ?? 'push'
  const flake = choose(2) === 0 ? cast.flakes[0] : pick(choose, cast.flakes)
  const system = pick(choose, cast.systems)
  if (flake === undefined || system === undefined) return 'nothing'
  const commit =
    kind === 'evaluate-head'
      ? flake.branch[0]
      : pick(choose, choose(4) === 0 ? [...flake.commits.values()] : flake.branch)
  if (kind === 'push') await randomPush(world, cast, flake, choose)
  else if (await ofSystem(world, cast, kind, system, choose)) return `${kind} ${system.name}`
  else if (commit !== undefined) await ofCommit(world, cast, kind, commit, choose)
  return `${kind} ${flake.name} ${commit?.sha ?? ''}`
}

/** Moves a branch in one of the ways in which branches are moved. */
export async function randomPush(world: World, cast: Cast, flake: Flake, choose: Choose): Promise<void> {
  const siblings = cast.flakes.filter((each) => each !== flake && each.repository === flake.repository)
  await world.push(
    flake,
    nextHead(
      choose,
      flake,
      siblings.flatMap(({ head }) => head ?? []),
    ),
  )
}

async function ofSystem(
  world: World,
  cast: Cast,
  kind: Step,
  system: System,
  choose: Choose,
): Promise<boolean> {
  switch (kind) {
    case 'report':
      await report(world, system, choose)
      return true
    case 'assign':
      await world.assign(system, someAssignment(choose, cast))
      return true
    case 'archive':
    case 'bring-back':
      await world.setArchived(system, kind === 'archive')
      return true
    case 'add':
      cast.systems.push(await world.addSystem(`new${cast.systems.length}`, someAssignment(choose, cast)))
      return true
    default:
      return false
  }
}

/** What the system may say that it runs. */
export function randomPath(system: System, choose: Choose): string | null {
  const configuration = choose(5) === 0 ? 'shared' : (system.configuration ?? system.name)
  const kind = choose(16)
  if (kind === 0) return null
  return kind === 1 ? 'foreign' : somePath(choose, configuration)
}

async function report(world: World, system: System, choose: Choose): Promise<void> {
  const now = world.steps.now()
  const path = randomPath(system, choose)
  // by a clock that is right, or is ahead, or is behind
  const observedIn = choose(3) > 0 ? now : choose(4) === 0 ? now + 1 : choose(now + 1)
  await world.report(system, path, observedIn)
}

/** What some configurations evaluate to. */
export function randomResults(choose: Choose, { configurations }: Cast): Map<string, Result> {
  const evaluated = configurations.filter(() => choose(3) > 0)
  return new Map(evaluated.map((name) => [name, someResult(choose, name)]))
}

async function ofCommit(world: World, cast: Cast, kind: Step, commit: Commit, choose: Choose): Promise<void> {
  if (kind === 'again') await world.startAgain(commit)
  else if (kind === 'finish') await world.finish(commit, choose(3) === 0 ? 'failed' : 'evaluated')
  else await world.evaluate(commit, randomResults(choose, cast))
}
