import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Batcher, type BatchLimits, createBatcher } from '../../src/server/ingest/batcher.ts'
import { waitFor } from '../support/wait.ts'

interface Row {
  key: number
  name: string
}

/** A batcher whose batches wait until the test lets them go. */
function createHeldBatcher(options: BatchLimits = {}) {
  const batches: { names: string[]; finish: () => void; fail: (error: Error) => void }[] = []
  const batcher: Batcher<Row, string> = createBatcher({
    run: (rows: Row[]) =>
      new Promise<string[]>((resolve, reject) => {
        const names = rows.map((row) => row.name)
        batches.push({ names, finish: () => resolve(names.map((name) => `${name} done`)), fail: reject })
      }),
    keyOf: (row) => row.key,
    isFailureOfAll: (error) => error instanceof Error && error.message === 'connection lost',
    ...options,
  })
  return {
    batcher,
    batches,
    add: (name: string, key = Number(name)) => batcher.add({ key, name }),
    /** The batch of this number, once it has left. */
    batch: (number: number) => waitFor(() => batches[number], { what: `batch ${number}` }),
  }
}

describe('batches', () => {
  test('leave at once while a connection is free: a lone row waits for nothing', async () => {
    const { add, batches } = createHeldBatcher({ connections: 2 })
    const one = add('1')
    expect(batches.map(({ names }) => names)).toEqual([['1']])
    const two = add('2')
    expect(batches.map(({ names }) => names)).toEqual([['1'], ['2']])
    for (const each of batches) each.finish()
    expect(await Promise.all([one, two])).toEqual(['1 done', '2 done'])
  })

  test('are what arrived during the ones before', async () => {
    const { add, batches, batch, batcher } = createHeldBatcher({ connections: 1 })
    const all = ['1', '2', '3'].map((name) => add(name))
    expect(batcher.depth).toBe(2)
    ;(await batch(0)).finish()
    await all[0]
    await batch(1)
    expect(batches.map(({ names }) => names)).toEqual([['1'], ['2', '3']])
    expect(batcher.depth).toBe(0)
    ;(await batch(1)).finish()
    expect(await Promise.all(all)).toEqual(['1 done', '2 done', '3 done'])
  })

  test('hold one row of a key, in the order of arrival; further ones come with the next', async () => {
    const { add, batches, batch } = createHeldBatcher({ connections: 1 })
    const all = [add('0'), add('1a', 1), add('1b', 1), add('2'), add('1c', 1)]
    for (let number = 0; number < 4; number += 1) (await batch(number)).finish()
    expect(batches.map(({ names }) => names)).toEqual([['0'], ['1a', '2'], ['1b'], ['1c']])
    expect(await Promise.all(all)).toHaveLength(5)
  })

  test('hold at most so many rows', async () => {
    const { add, batches, batch } = createHeldBatcher({ connections: 1, maxRows: 2 })
    const all = ['0', '1', '2', '3'].map((name) => add(name))
    ;(await batch(0)).finish()
    await all[0]
    ;(await batch(1)).finish()
    await all[1]
    ;(await batch(2)).finish()
    expect(await Promise.all(all)).toHaveLength(4)
    expect(batches.map(({ names }) => names)).toEqual([['0'], ['1', '2'], ['3']])
  })
})

describe('keys', () => {
  test('take turns: one with many rows waits behind those that came while its row ran', async () => {
    const { add, batches, batch } = createHeldBatcher({ maxRows: 2 })
    const all = [add('1a', 1), add('1b', 1), add('1c', 1), add('2'), add('3'), add('4')]
    for (let number = 0; number < 4; number += 1) (await batch(number)).finish()
    expect(batches.map(({ names }) => names)).toEqual([['1a'], ['2', '3'], ['4', '1b'], ['1c']])
    expect(await Promise.all(all)).toHaveLength(6)
  })

  test('have one row that runs, however many connections are free', async () => {
    const { add, batches, batch } = createHeldBatcher({ connections: 3 })
    const all = [add('1a', 1), add('1b', 1), add('2')]
    expect(batches.map(({ names }) => names)).toEqual([['1a'], ['2']])
    ;(await batch(0)).finish()
    expect((await batch(2)).names).toEqual(['1b'])
    for (const each of batches) each.finish()
    expect(await Promise.all(all)).toHaveLength(3)
  })

  test('with too many rows are told to slow down, and no other key is', async () => {
    const { add, batch, batcher } = createHeldBatcher({ maxOfKey: 2 })
    const taken = [add('1a', 1), add('1b', 1), add('1c', 1)]
    await expect(add('1d', 1)).rejects.toMatchObject({ problem: 'slow-down', retryAfter: 2 })
    expect(batcher.depth).toBe(2)
    taken.push(add('2'))
    ;(await batch(0)).finish()
    expect((await batch(1)).names).toEqual(['2', '1b'])
    taken.push(add('1e', 1))
    for (let number = 1; number < 4; number += 1) (await batch(number)).finish()
    expect(await Promise.all(taken)).toEqual(['1a done', '1b done', '1c done', '2 done', '1e done'])
  })

  test('are forgotten with their last row: they begin anew', async () => {
    const { add, batch } = createHeldBatcher({ maxOfKey: 1 })
    for (let number = 0; number < 3; number += 1) {
      const row = add('1')
      ;(await batch(number)).finish()
      expect(await row).toBe('1 done')
    }
  })
})

/** A batcher whose rows count by the lengths of their names. */
function createSized() {
  const batches: { names: string[]; finish: () => void }[] = []
  const batcher = createBatcher({
    run: (rows: Row[]) =>
      new Promise<string[]>((resolve) => {
        const names = rows.map((row) => row.name)
        batches.push({ names, finish: () => resolve(names) })
      }),
    keyOf: (row) => row.key,
    isFailureOfAll: () => false,
    sizeOf: (row) => row.name.length,
    maxSize: 4,
    maxWaiting: 10,
  })
  let key = 0
  return { batches, batcher, add: (name: string) => batcher.add({ key: (key += 1), name }) }
}

describe('rows that count by their size', () => {
  test('fill a batch by what they are in sum', async () => {
    const { batches, add, batcher } = createSized()
    const all = ['first', 'aaa', 'bb', 'c'].map(add)
    for (let number = 0; number < 3; number += 1) (await waitFor(() => batches[number])).finish()
    await Promise.all(all)
    expect(batches.map(({ names }) => names)).toEqual([['first'], ['aaa', 'bb'], ['c']])
    expect(batcher.depth).toBe(0)
  })

  test('are refused when too much waits, and taken again when less does', async () => {
    const { batches, add } = createSized()
    const all = ['first', '0123456789'].map(add)
    await expect(add('more')).rejects.toMatchObject({ problem: 'unavailable', retryAfter: 2 })
    for (let number = 0; number < 2; number += 1) (await waitFor(() => batches[number])).finish()
    await Promise.all(all)
    const later = add('later')
    ;(await waitFor(() => batches[2])).finish()
    expect(await later).toBe('later')
  })
})

describe('a batch that fails', () => {
  test('for a reason of its content runs again row by row: only the bad one fails', async () => {
    const ran: string[][] = []
    const batcher = createBatcher({
      run: async (rows: Row[]) => {
        ran.push(rows.map((row) => row.name))
        await nextTurn()
        if (rows.some((row) => row.name === 'bad')) throw new Error('a bad row')
        return rows.map((row) => row.name)
      },
      keyOf: (row) => row.key,
      isFailureOfAll: () => false,
      connections: 1,
    })
    const outcomes = await Promise.allSettled(
      ['first', 'good', 'bad', 'better'].map((name, key) => batcher.add({ key, name })),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(ran).toEqual([['first'], ['good', 'bad', 'better'], ['good'], ['bad'], ['better']])
  })

  test('because the database is away fails whole, without trying every row', async () => {
    const { add, batches, batch } = createHeldBatcher({ connections: 1 })
    const first = add('0')
    const rest = ['1', '2', '3'].map((name) => add(name))
    ;(await batch(0)).finish()
    await first
    ;(await batch(1)).fail(new Error('connection lost'))
    for (const row of rest) await expect(row).rejects.toThrow('connection lost')
    expect(batches).toHaveLength(2)
  })

  test('gives its connection back: the next one runs', async () => {
    const { add, batch } = createHeldBatcher({ connections: 1 })
    const first = add('0')
    const second = add('1')
    ;(await batch(0)).fail(new Error('connection lost'))
    await expect(first).rejects.toThrow('connection lost')
    ;(await batch(1)).finish()
    expect(await second).toBe('1 done')
  })

  test('to answer for every row rejects those without an answer', async () => {
    const batcher = createBatcher({
      run: (rows: Row[]) => Promise.resolve(rows.slice(1).map((row) => row.name)),
      keyOf: (row) => row.key,
      isFailureOfAll: () => false,
    })
    await expect(batcher.add({ key: 1, name: 'one' })).rejects.toThrow('fewer outcomes than rows')
  })
})

describe('a full queue', () => {
  test('refuses with unavailable and Retry-After, and takes rows again once it has room', async () => {
    const { add, batch, batcher } = createHeldBatcher({ connections: 1, maxWaiting: 2 })
    const taken = ['0', '1', '2'].map((name) => add(name))
    await expect(add('3')).rejects.toMatchObject({ problem: 'unavailable', retryAfter: 2 })
    expect(batcher.depth).toBe(2)
    ;(await batch(0)).finish()
    await batch(1)
    const later = add('4')
    ;(await batch(1)).finish()
    ;(await batch(2)).finish()
    expect(await Promise.all([...taken, later])).toHaveLength(4)
  })
})

describe('drain', () => {
  test('resolves at once when nothing waits', async () => {
    await createHeldBatcher().batcher.drain()
  })

  test('waits for what runs and for what waits', async () => {
    const { add, batch, batcher } = createHeldBatcher({ connections: 1 })
    const all = ['0', '1'].map((name) => add(name))
    let drained = false
    const draining = (async () => {
      await batcher.drain()
      drained = true
    })()
    ;(await batch(0)).finish()
    await all[0]
    await nextTurn()
    expect(drained).toBe(false)
    ;(await batch(1)).finish()
    await draining
    expect(await Promise.all(all)).toHaveLength(2)
  })

  test('resolves too when the last batch fails', async () => {
    const { add, batch, batcher } = createHeldBatcher()
    const row = add('0')
    const draining = batcher.drain()
    ;(await batch(0)).fail(new Error('connection lost'))
    await expect(row).rejects.toThrow('connection lost')
    await draining
  })
})
