import { Problem } from '../../protocol/problems.ts'

/** In seconds: some dozens of batches. */
export const RETRY_AFTER_SECS = 2

/** What a system is told that sends more at once than any agent does: those send one request after the other. */
export function slowDown(): Problem {
  return new Problem('slow-down', 'too many requests of this system are under way already', {
    retryAfter: RETRY_AFTER_SECS,
  })
}
