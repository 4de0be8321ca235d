import { Problem } from '../../protocol/problems.ts'
import { createRoundRobin } from './round-robin.ts'
import { RETRY_AFTER_SECS, slowDown } from './slow-down.ts'

export interface Batcher<Row, Outcome> {
  /**
   * Resolves once the row's batch is committed. Rejects with Problem `slow-down` when too many rows of its key wait, and
   * `unavailable` when too many of all do.
   */
  add: (row: Row) => Promise<Outcome>
  /** Rows that wait. */
  readonly depth: number
  /** Resolves when nothing waits or runs any more. */
  drain: () => Promise<void>
}

export interface BatchLimits {
  /** Batches that run at once; default 1, as two halves of a batch cost a third more than the whole. */
  connections?: number
  /** Of a batch; default 500. */
  maxRows?: number
  /** The sum of `sizeOf` in a batch beyond which no further row is added. */
  maxSize?: number
  /** The sum of `sizeOf` that waits beyond which further rows are refused; default 20,000. */
  maxWaiting?: number
  /** Rows of one key that wait beyond which further ones are refused; default 8. Those that run do not count. */
  maxOfKey?: number
}

interface Waiting<Row, Outcome> {
  row: Row
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
}

/**
 * Collects rows into batches without a timer: a batch leaves as soon as one of `connections` is free, so that a lone row
 * waits for nothing and under load a batch is what arrived during the one before. At most one row of each `keyOf` runs;
 * further ones wait, in their order, and the keys take turns: none waits longer because another has much to say. When a
 * batch fails for a reason of its content its rows run one by one, so that one bad row never fails the others.
 */
export function createBatcher<Row, Outcome>(
  options: BatchLimits & {
    run: (rows: Row[]) => Promise<Outcome[]>
    keyOf: (row: Row) => number
    /** What a row counts in `maxSize` and `maxWaiting`; default 1. */
    sizeOf?: (row: Row) => number
    /** Whether the failure says nothing about the rows, so that running them singly would fail too. */
    isFailureOfAll: (error: unknown) => boolean
  },
): Batcher<Row, Outcome> {
  const { run, keyOf, isFailureOfAll, sizeOf = () => 1, connections = 1, maxRows = 500 } = options
  const { maxSize = Infinity, maxWaiting = 20_000, maxOfKey = 8 } = options
  const turns = createRoundRobin<Waiting<Row, Outcome>>(maxOfKey)
  let waiting = 0
  let waitingSize = 0
  let running = 0
  let drained: (() => void)[] = []

  const takeBatch = (): Waiting<Row, Outcome>[] => {
    const batch: Waiting<Row, Outcome>[] = []
    let size = 0
    while (batch.length < maxRows && size < maxSize) {
      const next = turns.take()
      if (next === undefined) break
      batch.push(next)
      size += sizeOf(next.row)
    }
    waiting -= batch.length
    waitingSize -= size
    return batch
  }

  const runBatch = async (batch: Waiting<Row, Outcome>[]): Promise<void> => {
    try {
      const outcomes = await run(batch.map((each) => each.row))
      for (const [index, each] of batch.entries()) {
        const outcome = outcomes[index]
        if (outcome === undefined) each.reject(new Error('a batch returned fewer outcomes than rows'))
        else each.resolve(outcome)
      }
    } catch (error) {
      if (batch.length === 1 || isFailureOfAll(error)) for (const each of batch) each.reject(error)
      else for (const each of batch) await runBatch([each])
    }
  }

  const dispatch = (): void => {
    while (running < connections) {
      const batch = takeBatch()
      if (batch.length === 0) break
      running += 1
      void runBatch(batch).finally(() => {
        running -= 1
        for (const { row } of batch) turns.done(keyOf(row))
        dispatch()
      })
    }
    if (running === 0 && waiting === 0) {
      for (const resolve of drained) resolve()
      drained = []
    }
  }

  return {
    add: (row) =>
      new Promise((resolve, reject) => {
        if (waitingSize >= maxWaiting)
          reject(new Problem('unavailable', 'the server is overloaded', { retryAfter: RETRY_AFTER_SECS }))
        else if (turns.add(keyOf(row), { row, resolve, reject })) {
          waiting += 1
          waitingSize += sizeOf(row)
          dispatch()
        } else reject(slowDown())
      }),
    get depth() {
      return waiting
    },
    drain: () =>
      new Promise((resolve) => {
        drained.push(resolve)
        dispatch()
      }),
  }
}
