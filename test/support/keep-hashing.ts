import { setImmediate } from 'node:timers/promises'
import { hashPassword } from '../../src/server/people/passwords.ts'

/** Has passwords hashed until it is stopped; by default so many at once that a server takes no more. */
export function keepHashing(atOnce = 36): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  const hash = async (): Promise<void> => {
    while (!stopping.signal.aborted) await hashPassword('whatever').catch(async () => await setImmediate())
  }
  const all = Array.from({ length: atOnce }, hash)
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(all)
    },
  }
}
