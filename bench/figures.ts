/** One measured number, under a name such as `agent.rss_ratio`. */
export interface Figure {
  value: number
  unit: string
}

export type Figures = Record<string, Figure>

export interface BenchOptions {
  /** Also the sizes that take long. */
  full: boolean
  /** Says what is going on; figures are not printed with it. */
  say: (text: string) => void
}

/** One benchmark: the part of its figures' names before the dot. */
export type Bench = (options: BenchOptions) => Promise<Figures>

/** The smallest of the values that at least `percent` of them do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
  if (value === undefined) throw new Error('no values')
  return value
}
