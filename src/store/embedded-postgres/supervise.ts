import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'pg'
import { backoffMs } from '../../lib/retry.ts'
import { bringUp, type BringUpOptions, type Watch } from './bring-up.ts'

const RESTART_BACKOFF = { baseMs: 200, capMs: 30_000, random: Math.random }

export interface Supervision {
  /** Resolves after the signal, with the last connection; it may be lost. */
  ended: Promise<Client>
}

/** Until the signal: when the watched connection ends, PostgreSQL is gone, and is brought up again. */
export function supervise(setup: BringUpOptions, watch: Watch): Supervision {
  const { log, signal } = setup
  const stopped = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  const run = async (): Promise<Client> => {
    for (let current = watch; ;) {
      await Promise.race([current.ended, stopped])
      if (signal.aborted) return current.client
      log.warn('the embedded PostgreSQL has gone away; bringing it up again')
      const next = await bringUpAgain(setup)
      if (next === null) return current.client
      log.info('the embedded PostgreSQL is back')
      current = next
    }
  }
  return { ended: run() }
}

/** Tries until it is up; null when the signal came first. */
async function bringUpAgain(setup: BringUpOptions): Promise<Watch | null> {
  for (let attempt = 0; !setup.signal.aborted; attempt++) {
    try {
      return await bringUp(setup)
    } catch (err) {
      if (setup.signal.aborted) return null
      setup.log.error({ err }, 'cannot bring up the embedded PostgreSQL')
      await delay(backoffMs(attempt, RESTART_BACKOFF), undefined, { signal: setup.signal }).catch(() => {})
    }
  }
  return null
}
