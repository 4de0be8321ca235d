import { setTimeout as delay } from 'node:timers/promises'

/** Polls until `condition` gives something; throws an Error that names what was waited for. Polls every 10 ms. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | null>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let failure: unknown
  while (performance.now() < deadline) {
    try {
      const result = await condition()
      if (result !== null) return result
    } catch (error) {
      failure = error
    }
    // not referenced: a demo that failed meanwhile ends at once
    await delay(10, undefined, { ref: false })
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s`, { cause: failure })
}
