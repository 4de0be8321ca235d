import { backoffMs } from '../lib/retry.ts'
import type { Wait } from './answer.ts'

const BASE_MS = 1000
const REFUSED_CAP_MS = 5 * 60_000

/** How long to wait before the server is asked again (docs/protocol.md, "When the agent sends what"). */
export interface Pace {
  /** The server took, or for good refused, what was sent. */
  answered: () => void
  /** Milliseconds until the next try. */
  afterFailure: (because: Wait['because'], retryAfterMs: number) => number
  /** As `afterFailure`, where the first time something was put right and can be tried at once. */
  afterCorrection: () => number
}

export interface PaceOptions {
  /** The heartbeat interval of the moment. */
  intervalMs: () => number
  random: () => number
}

export function createPace({ intervalMs, random }: PaceOptions): Pace {
  let failures = 0
  const wait = (capMs: number): number => {
    failures += 1
    return backoffMs(failures - 1, { baseMs: BASE_MS, capMs, random })
  }
  return {
    answered: () => {
      failures = 0
    },
    // A Retry-After is kept in full; the jitter on top keeps a fleet from coming back in the same second.
    afterFailure: (because, retryAfterMs) =>
      retryAfterMs + wait(because === 'refused' ? REFUSED_CAP_MS : intervalMs()),
    afterCorrection: () => {
      const waitMs = wait(intervalMs())
      return failures === 1 ? 0 : waitMs
    },
  }
}
