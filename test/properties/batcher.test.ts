import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BatchLimits, createBatcher } from '../../src/server/ingest/batcher.ts'
import { Problem } from '../../src/protocol/problems.ts'

interface Row {
  key: number
  name: string
}
type End = 'succeeds' | 'fails' | 'loses its connection'
type Step = { do: 'add'; key: number } | { do: 'end'; batch: number; end: End }

const KEYS = 7
const KINDS = ['succeeds', 'succeeds', 'fails', 'loses its connection'] as const

const limits = fc.record({
  connections: fc.integer({ min: 1, max: 3 }),
  maxRows: fc.integer({ min: 1, max: 4 }),
  maxOfKey: fc.integer({ min: 1, max: 4 }),
})
const add = fc.record({ do: fc.constant('add' as const), key: fc.integer({ min: 1, max: KEYS }) })
const end = fc.record({
  do: fc.constant('end' as const),
  batch: fc.nat(5),
  end: fc.constantFrom(...KINDS),
})
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof({ weight: 3, arbitrary: add }, end), { maxLength: 80 })

/** A batcher and all that became of what it was given. */
function createWatched(options: BatchLimits) {
  const running: { rows: Row[]; finish: (how: End) => void }[] = []
  const ran: Row[][] = []
  const outcomes = new Map<string, string[]>()
  const batcher = createBatcher({
    run: (rows: Row[]) => {
      ran.push(rows)
      return new Promise<string[]>((resolve, reject) => {
        const batch = {
          rows,
          finish: (how: End) => {
            running.splice(running.indexOf(batch), 1)
            if (how === 'succeeds') resolve(rows.map(({ name }) => name))
            else reject(new Error(how))
          },
        }
        running.push(batch)
      })
    },
    keyOf: ({ key }) => key,
    isFailureOfAll: (error) => error instanceof Error && error.message === 'loses its connection',
    ...options,
  })
  let count = 0
  const addRow = (key: number): string => {
    const row = { key, name: `${key}-${(count += 1)}` }
    const found: string[] = []
    outcomes.set(row.name, found)
    batcher.add(row).then(
      (outcome) => found.push(outcome),
      (error: unknown) => found.push(error instanceof Problem ? error.problem : String(error)),
    )
    return row.name
  }
  return { batcher, running, ran, outcomes, addRow }
}

const keysOf = (rows: Row[]) => rows.map(({ key }) => key)

describe('whatever is added and however batches end', () => {
  test('each row has one outcome, the rows of a key run in order and one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (options, given) => {
        const { batcher, running, ran, outcomes, addRow } = createWatched(options)
        const refused = new Set<string>()
        const accepted = new Map<string, number>()
        const waitingOf = (key: number) =>
          [...accepted].filter(([name, of]) => of === key && !ran.flat().some((row) => row.name === name))
            .length

        for (const step of given) {
          if (step.do === 'add') {
            const isFull = waitingOf(step.key) >= options.maxOfKey
            const name = addRow(step.key)
            if (isFull) refused.add(name)
            else accepted.set(name, step.key)
          } else running[step.batch % Math.max(1, running.length)]?.finish(step.end)
          await nextTurn()
          const atOnce = running.flatMap(({ rows }) => keysOf(rows))
          expect(new Set(atOnce).size).toBe(atOnce.length)
          expect(running.length).toBeLessThanOrEqual(options.connections)
          expect(batcher.depth).toBe(
            Array.from({ length: KEYS }, (_, key) => waitingOf(key + 1)).reduce((sum, each) => sum + each, 0),
          )
        }
        const drained = batcher.drain()
        while (running.length > 0) {
          running[0]?.finish('succeeds')
          await nextTurn()
        }
        await drained

        for (const [name, found] of outcomes) {
          if (refused.has(name)) expect(found).toEqual(['slow-down'])
          else {
            expect(found).toHaveLength(1)
            expect([name, 'Error: fails', 'Error: loses its connection']).toContain(found[0])
          }
        }
        for (const batch of ran) expect(batch.length).toBeLessThanOrEqual(options.maxRows)
        // a row runs again alone when its batch failed; what counts is when it came first
        const first = [...new Set(ran.flat().map(({ name }) => name))]
        for (let key = 1; key <= KEYS; key += 1) {
          const ofKey = (name: string) => name.startsWith(`${key}-`)
          expect(first.filter(ofKey)).toEqual([...accepted.keys()].filter(ofKey))
        }
      }),
    )
  })

  test('no key waits for more batches than it takes to serve every key once', async () => {
    const oneConnection = limits.map((each) => ({ ...each, connections: 1 }))
    await fc.assert(
      fc.asyncProperty(oneConnection, steps, async (options, before) => {
        const { running, addRow } = createWatched(options)
        const finish = async (): Promise<Row[]> => {
          const rows = running[0]?.rows ?? []
          running[0]?.finish('succeeds')
          await nextTurn()
          return rows
        }
        for (const step of before) {
          if (step.do === 'add') addRow(step.key)
          else await finish()
        }
        const waited = new Map(Array.from({ length: KEYS }, (_, key) => [key + 1, 0]))
        const most = Math.ceil(KEYS / options.maxRows)
        for (const key of waited.keys()) addRow(key)
        await finish()
        for (let batch = 0; batch < 3 * most; batch += 1) {
          for (const key of waited.keys()) addRow(key)
          const served = new Set(keysOf(await finish()))
          for (const [key, batches] of waited) {
            expect(batches + 1).toBeLessThanOrEqual(most)
            waited.set(key, served.has(key) ? 0 : batches + 1)
          }
        }
      }),
    )
  })
})
