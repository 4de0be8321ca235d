import { Problem } from '../../protocol/problems.ts'

export interface Batcher<Row, Outcome> {
  /** Resolves once the row's batch is committed. Throws Problem `unavailable` when too many rows wait. */
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
}

interface Waiting<Row, Outcome> {
  row: Row
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
}

/**
 * Collects rows into batches without a timer: a batch leaves as soon as one of `connections` is free, so that a lone row
 * waits for nothing and under load a batch is what arrived during the one before. A batch holds one row of each `keyOf`;
 * further ones wait for the next. When a batch fails for a reason of its content its rows run one by one, so that one bad
 * row never fails the others.
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
  const { maxSize = Infinity, maxWaiting = 20_000 } = options
  let waiting: Waiting<Row, Outcome>[] = []
  let waitingSize = 0
  let running = 0
  let drained: (() => void)[] = []

  const takeBatch = (): Waiting<Row, Outcome>[] => {
    const batch = new Map<number, Waiting<Row, Outcome>>()
    const later: Waiting<Row, Outcome>[] = []
    let size = 0
    for (const [index, each] of waiting.entries()) {
      if (batch.size === maxRows || size >= maxSize) {
        later.push(...waiting.slice(index))
        break
      }
      const key = keyOf(each.row)
      if (batch.has(key)) later.push(each)
      else {
        batch.set(key, each)
        size += sizeOf(each.row)
      }
    }
    waiting = later
    waitingSize -= size
    return [...batch.values()]
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
    while (running < connections && waiting.length > 0) {
      running += 1
      void runBatch(takeBatch()).finally(() => {
        running -= 1
        dispatch()
      })
    }
    if (running === 0 && waiting.length === 0) {
      for (const resolve of drained) resolve()
      drained = []
    }
  }

  return {
    add: (row) => {
      if (waitingSize >= maxWaiting)
        return Promise.reject(new Problem('unavailable', 'the server is overloaded', { retryAfter: 2 }))
      return new Promise((resolve, reject) => {
        waiting.push({ row, resolve, reject })
        waitingSize += sizeOf(row)
        dispatch()
      })
    },
    get depth() {
      return waiting.length
    },
    drain: () =>
      new Promise((resolve) => {
        drained.push(resolve)
        dispatch()
      }),
  }
}
