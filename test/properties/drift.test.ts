import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Choose, createCast, randomStep } from '../support/drift/random-steps.ts'
import { createWorld, type World } from '../support/drift/world.ts'

let store: TestDatabase
let worlds = 0
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

const RUNS = Number(process.env['CRYSTAL_FORGE_DRIFT_RUNS'] ?? 8)
const seed = Number(process.env['CRYSTAL_FORGE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Every system, its events too: everything is judged from the database, as nothing is kept in memory between two steps. */
async function expectSame(world: World, done: readonly string[]): Promise<void> {
  const { verdicts, transitions } = world.judge()
  const stored = await world.read()
  expect({ done, drift: sorted(stored) }).toEqual({ done, drift: sorted(verdicts) })
  const events = await world.readTransitions()
  expect({ done, events: events.toSorted(bySystem) }).toEqual({
    done,
    events: transitions.toSorted(bySystem),
  })
}

const sorted = (verdicts: ReadonlyMap<string, unknown>) =>
  [...verdicts].toSorted(([a], [b]) => (a < b ? -1 : 1))
const bySystem = (a: { system: string }, b: { system: string }): number => (a.system < b.system ? -1 : 1)

test(`whatever happens in whatever order, each system stands as its whole history says (seed ${seed})`, async () => {
  // without a bias to small numbers, which would be the same choice over and over
  const choice = fc.noBias(fc.array(fc.nat(), { minLength: 12, maxLength: 12 }))
  const steps = fc.array(choice, { minLength: 40, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(steps, async (choices) => {
      const world = await createWorld(store.database.db, `w${(worlds += 1)}`)
      const cast = await createCast(world, chooseFrom(choices[0] ?? []))
      world.judge()
      await world.readTransitions()
      const done: string[] = []
      for (const numbers of choices) {
        await world.steps.next()
        done.push(await randomStep(world, cast, chooseFrom(numbers)))
        await expectSame(world, done)
      }
    }),
    { numRuns: RUNS, seed, endOnFailure: process.env['CRYSTAL_FORGE_SHRINK'] === undefined },
  )
}, 300_000)

/** Choices one after the other, and then over again. */
function chooseFrom(numbers: readonly number[]): Choose {
  let next = 0
  return (count) => {
    next += 1
    return (numbers[next % numbers.length] ?? 0) % Math.max(1, count)
  }
}
