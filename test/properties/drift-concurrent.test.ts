import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRandom, type Random } from '../faults/support/random.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  type Cast,
  type Choose,
  createCast,
  randomPath,
  randomPush,
  randomResults,
} from '../support/drift/random-steps.ts'
import type { Verdict } from '../support/drift/reference.ts'
import { createWorld, type World } from '../support/drift/world.ts'
import { createStoreView } from '../support/store-view.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

const ROUNDS = Number(process.env['CRYSTAL_FORGE_DRIFT_RUNS'] ?? 30)

test('however evaluations, reports and operators meet, each system ends as the history says', async () => {
  const view = createStoreView(store.database.db)
  const deadlocks = await view.deadlocks()
  const random = createRandom('drift by several connections')
  const choose = (count: number) => random.integer(0, Math.max(1, count) - 1)
  const world = await createWorld(store.database.db, 'w')
  const cast = await createCast(world, choose)
  const last = new Map<string, string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.steps.next()
    await Promise.all(meetings(world, cast, random, choose).map((meeting) => meeting()))
    const stored = await world.read()
    expect({ round, drift: comparable(stored) }).toEqual({ round, drift: comparable(world.judge().verdicts) })
    // each event goes on from the one before, but for a system that was brought back, which begins anew
    for (const { system, from, to } of await world.readTransitions()) {
      expect([last.get(system), 'no_report']).toContain(from)
      last.set(system, to)
    }
  }
  expect(await view.deadlocks()).toBe(deadlocks)
}, 120_000)

/** Things that may happen at once and come out the same in any order: each system, commit and branch in one of them. */
function meetings(world: World, cast: Cast, random: Random, choose: Choose): (() => Promise<void>)[] {
  const reports = cast.systems.flatMap((system) => {
    if (random.chance(0.5)) return [() => world.report(system, randomPath(system, choose))]
    return random.chance(0.2) ? [() => world.setArchived(system, !system.isArchived)] : []
  })
  const evaluations = cast.flakes.flatMap((flake) =>
    flake.branch.slice(0, 4).flatMap((commit) => {
      if (random.chance(0.5)) return [() => world.evaluate(commit, randomResults(choose, cast))]
      return random.chance(0.4)
        ? [() => world.finish(commit, random.chance(0.2) ? 'failed' : 'evaluated')]
        : []
    }),
  )
  const pushes = cast.flakes
    .filter((flake) => flake.head === null || random.chance(0.4))
    .map((flake) => () => randomPush(world, cast, flake, choose))
  return shuffled(random, [...reports, ...evaluations, ...pushes])
}

/** States that several commits may explain: the one that arrived last counts, and which that is depends on who was first. */
const EXPLAINED_BY_SEVERAL = new Set<string>(['off_branch', 'wrong_configuration'])

/** Since when a system is in sync depends on whether it was otherwise for a moment in between. */
function comparable(verdicts: ReadonlyMap<string, Verdict>) {
  return [...verdicts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { since, standingSince, ...verdict }]) => {
      const { runningCommit: _commit, configuration: _name, specialisation: _other, ...rest } = verdict
      if (EXPLAINED_BY_SEVERAL.has(verdict.standing)) return [name, rest]
      return [name, verdict.standing === 'in_sync' ? verdict : { since, standingSince, ...verdict }]
    })
}

function shuffled<T>(random: Random, things: readonly T[]): T[] {
  return things
    .map((thing) => ({ thing, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ thing }) => thing)
}
