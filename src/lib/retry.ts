export interface Backoff {
  baseMs: number
  capMs: number
  /** In [0, 1). */
  random: () => number
}

/**
 * How long to wait before try `attempt` + 1, when `attempt` (from 0) tries failed before this one: "full jitter", a
 * random part of `baseMs` doubled at each attempt and bounded by `capMs`, so that a fleet does not come back at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function backoffMs(attempt: number, { baseMs, capMs, random }: Backoff): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt))
}
