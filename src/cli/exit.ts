/** What the CLI exits with. `found` is for commands that were asked to report something by their status. */
export const EXIT = { done: 0, failed: 1, usage: 2, found: 3 } as const

/** A command line that cannot be meant: status 2 instead of 1. */
export class UsageError extends Error {
  override name = 'UsageError'
}
