import { percentile } from '../figures.ts'

/** What was seen in one of the equal parts of a load. */
export interface Sample {
  /** From the beginning to the end of this part, seconds. */
  atSecs: number
  requests: number
  /** Answers other than 200, and lost connections. */
  refused: number
  p50Ms: number
  p99Ms: number
  /** Of the server. */
  residentBytes: number
  /** With indexes; of tables whose size is that of the fleet, or of what changes in it. */
  tables: Record<string, number>
}

export interface Verdict {
  what: string
  /** Medians of the first and of the last third. */
  first: number
  last: number
  /** What the last one may be at most. */
  limit: number
  isFlat: boolean
}

/** So much larger than in the first third is no growth, but what garbage collection and autovacuum leave from time to time. */
const GROWTH = 1.2
/** What a table may grow by in any case: autovacuum begins at a fifth of its rows. */
const TABLE_SLACK = 4 * 2 ** 20
/** What the heap of Node may grow by in any case. */
const MEMORY_SLACK = 32 * 2 ** 20
/** Other work on a machine moves a 99th percentile more than anything else does. */
const P99_GROWTH = 1.5
const P99_SLACK_MS = 10

/**
 * Holds the median of the last third of the samples against that of the first: memory, latency and tables have to be flat. What
 * grows steadily by more than a tenth of its size in each third is found.
 */
export function judge(samples: readonly Sample[]): Verdict[] {
  const third = Math.floor(samples.length / 3)
  if (third < 3) throw new Error(`${samples.length} samples are too few: at least 9 are needed`)
  const first = samples.slice(0, third)
  const last = samples.slice(-third)
  const hold = (what: string, of: (sample: Sample) => number, growth: number, slack: number): Verdict => {
    const [before, after] = [median(first.map(of)), median(last.map(of))]
    const limit = Math.max(before * growth, before + slack)
    return { what, first: before, last: after, limit, isFlat: after <= limit }
  }
  const tables = Object.keys(samples[0]?.tables ?? {})
  return [
    hold('memory of the server', (sample) => sample.residentBytes, GROWTH, MEMORY_SLACK),
    hold('p99', (sample) => sample.p99Ms, P99_GROWTH, P99_SLACK_MS),
    ...tables.map((name) => hold(`table ${name}`, (sample) => sample.tables[name] ?? 0, GROWTH, TABLE_SLACK)),
  ]
}

const median = (values: number[]): number => percentile(values, 50)
