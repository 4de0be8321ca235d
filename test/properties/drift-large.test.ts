import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRandom, type Random } from '../faults/support/random.ts'
import { isSoak } from '../faults/support/rounds.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type GitCommit } from '../support/drift/git-graph.ts'
import type { Commit, Flake, Result, System } from '../support/drift/history.ts'
import { newCommit } from '../support/drift/random-steps.ts'
import type { Verdict } from '../support/drift/reference.ts'
import { createWorld, type World } from '../support/drift/world.ts'

const { systems: SYSTEMS, commits: COMMITS } = isSoak
  ? { systems: 10_000, commits: 200 }
  : { systems: 300, commits: 20 }

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

test(`drift of ${SYSTEMS} systems over ${COMMITS} commits is what the whole history says, at every step`, async () => {
  const random = createRandom(`drift of ${SYSTEMS} systems over ${COMMITS} commits`)
  const world = await createWorld(store.database.db, 'w')
  const fleet = await createFleet(world)
  const figures = { steps: 0, judged: 0, states: new Map<string, number>() }
  const check = async (): Promise<void> => {
    const found = await compare(world, figures)
    expect(found.slice(0, 3)).toEqual([])
    await world.steps.next()
  }
  await check()
  for (let count = 0; count < COMMITS; count += 1) {
    await world.push(fleet.flake, nextHead(random, fleet.flake))
    await check()
    for (const commit of toEvaluate(random, fleet.flake)) {
      for (const results of inBatches(fleet, commit, random)) {
        await world.evaluate(commit, results)
        await check()
      }
      await world.finish(commit, random.chance(0.03) ? 'failed' : 'evaluated')
      await check()
    }
    await deploy(world, fleet, random)
    await check()
    if (isSoak) process.stdout.write(`${count + 1} commits: no difference in ${figures.judged} verdicts\n`)
  }
  process.stdout.write(
    `${figures.steps} steps, ${figures.judged} verdicts: ${JSON.stringify(Object.fromEntries(figures.states))}\n`,
  )
  // some 40 minutes on a machine that does nothing else, hours on one that does
}, 21_600_000)

interface Fleet {
  flake: Flake
  systems: readonly System[]
  /** What each commit gives each configuration, by its sha. */
  contents: Map<string, Map<string, Result>>
}

async function createFleet(world: World): Promise<Fleet> {
  const flake = await world.addFlake('fleet', 'main', 100)
  const systems: System[] = []
  const names = Array.from({ length: SYSTEMS }, (_, index) => `host${String(index).padStart(5, '0')}`)
  await several(names, async (name) => {
    systems.push(await world.addSystem(name, { flake, configuration: null, pinnedPath: null }))
  })
  return { flake, systems, contents: new Map() }
}

/** As many at a time as there are connections. */
async function several<T>(things: readonly T[], work: (thing: T) => Promise<unknown>): Promise<void> {
  const open = [...things]
  const worker = async (): Promise<void> => {
    for (let thing = open.shift(); thing !== undefined; thing = open.shift()) await work(thing)
  }
  await Promise.all(Array.from({ length: 5 }, worker))
}

/** Mostly one more commit; now and then a merge, or a force-push that takes some commits away. */
function nextHead(random: Random, { head, chain }: Flake): GitCommit {
  if (head === null) return newCommit([])
  const older = chain.at(-random.integer(2, 8)) ?? head
  if (random.chance(0.06)) return newCommit([older])
  return random.chance(0.06) ? newCommit([head, newCommit([older])]) : newCommit([head])
}

/** Mostly the newest; a push in between leaves some for later, or for ever. */
function toEvaluate(random: Random, { branch }: Flake): Commit[] {
  const [head] = branch
  if (head === undefined || random.chance(0.15)) return []
  const late = branch.slice(1, 20).find((commit) => commit.outcome === null)
  return late !== undefined && random.chance(0.3) ? [head, late] : [head]
}

/** A commit changes the systems of a tenth of the configurations, and of all now and then; a few fail. */
function resultsOf({ flake, systems, contents }: Fleet, commit: Commit, random: Random): Map<string, Result> {
  const known = contents.get(commit.sha)
  if (known !== undefined) return known
  const parent = flake.chain[(flake.places.get(commit.sha)?.position ?? 0) - 1]
  const before = contents.get(parent?.sha ?? '')
  const changed = random.chance(0.05) ? 1 : 0.1
  const results = new Map<string, Result>()
  for (const { name } of systems) {
    const same = before?.get(name)
    if (random.chance(0.01)) results.set(name, 'failed')
    else if (random.chance(0.005)) continue
    else if (same !== undefined && same !== 'failed' && !random.chance(changed)) results.set(name, same)
    else results.set(name, someResult(name, random))
  }
  contents.set(commit.sha, results)
  return results
}

function someResult(name: string, random: Random): Result {
  const path = `${name}-${random.integer(0, 30)}`
  const specialisations = random.chance(0.1) ? [{ name: 'gaming', path: `${path}-gaming` }] : []
  return { path: random.chance(0.01) ? 'shared' : path, specialisations }
}

function inBatches(fleet: Fleet, commit: Commit, random: Random): Map<string, Result>[] {
  const results = [...resultsOf(fleet, commit, random)]
  const middle = random.chance(0.7) ? 0 : random.integer(1, results.length)
  return [results.slice(0, middle), results.slice(middle)]
    .filter((batch) => batch.length > 0)
    .map((batch) => new Map(batch))
}

/** Some hosts switch to what they should run, or to something else, or say again what they run. */
async function deploy(world: World, { flake, systems }: Fleet, random: Random): Promise<void> {
  const first = systems.every(({ reports }) => reports.length === 0)
  const some = systems.filter(() => random.chance(first ? 0.95 : 0.03))
  const wanted = some.map((system) => {
    const configuration = random.chance(0.05)
      ? random.pick(['host00000', 'host00001'])
      : system.name.slice('w-'.length)
    const commits = flake.branch.filter((commit) => commit.results.has(`w-${configuration}`))
    const commit = commits[random.chance(0.7) ? 0 : random.integer(0, commits.length)]
    const result = commit?.results.get(`w-${configuration}`)
    return { system, path: pathOf(result, random) }
  })
  await several(wanted, ({ system, path }) => world.report(system, path))
}

function pathOf(result: Result | undefined, random: Random): string | null {
  if (result === undefined || result === 'failed' || random.chance(0.02))
    return random.chance(0.1) ? null : `foreign${random.integer(0, 3)}`
  const [specialisation] = result.specialisations
  return specialisation !== undefined && random.chance(0.3) ? specialisation.path : result.path
}

async function compare(
  world: World,
  figures: { steps: number; judged: number; states: Map<string, number> },
): Promise<unknown[]> {
  const { verdicts, transitions } = world.judge()
  const stored = await world.read()
  const events = await world.readTransitions()
  figures.steps += 1
  figures.judged += verdicts.size
  for (const { state } of verdicts.values()) figures.states.set(state, (figures.states.get(state) ?? 0) + 1)
  return [
    ...differences(named(verdicts), named(stored)),
    ...differences(
      new Map(transitions.map((each) => [each.system, JSON.stringify(each)])),
      new Map(
        events.map((each) => [
          each.system,
          JSON.stringify({ system: each.system, from: each.from, to: each.to }),
        ]),
      ),
    ),
  ]
}

/** Members in the order of their names. */
const inOneOrder = (verdict: Verdict): string =>
  JSON.stringify(Object.entries(verdict).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const named = (verdicts: ReadonlyMap<string, Verdict>): Map<string, string> =>
  new Map([...verdicts].map(([name, verdict]) => [name, inOneOrder(verdict)]))

function differences(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): unknown[] {
  const names = new Set([...expected.keys(), ...found.keys()])
  return [...names]
    .filter((name) => expected.get(name) !== found.get(name))
    .map((name) => ({ name, expected: expected.get(name), found: found.get(name) }))
}
