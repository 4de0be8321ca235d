/**
 * Resolves with the first truthy value of `condition`, asked again every few milliseconds; rejects after
 * `timeoutMs` with what was waited for. An error the condition throws is its answer "not yet", and becomes the
 * cause of the rejection when it is still thrown at the end.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + timeoutMs
  let lastError: unknown
  for (;;) {
    try {
      lastError = undefined
      const value = await condition()
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError })
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
