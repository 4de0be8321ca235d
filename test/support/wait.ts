type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>

const isTruthy = <T>(value: T): value is T & Truthy<T> => Boolean(value)

/**
 * Resolves with the first truthy value of `condition`, asked again every few milliseconds; rejects after
 * `timeoutMs` with what was waited for. An error the condition throws means "not yet", and becomes the cause of
 * the rejection when it is still thrown at the end.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + timeoutMs
  let lastError: unknown
  for (;;) {
    try {
      lastError = undefined
      const value: T = await condition()
      if (isTruthy(value)) return value
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError })
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
