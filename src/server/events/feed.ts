import type { Kysely } from 'kysely'
import type { Logger } from '../../lib/log.ts'
import {
  comparePositions,
  type EventPosition,
  type EventRow,
  presentPosition,
  readEvents,
} from '../../store/events.ts'
import type { DB } from '../../store/schema.generated.ts'

/** Soon enough for a person who watches; NOTIFY would make every report's commit wait for a lock of the whole server. */
const POLL_MS = 250
const PAGE = 500

/** Called with events in order; never again once it has thrown. */
export type Listener = (events: readonly EventRow[]) => void

export interface EventFeed {
  /** Calls `listener` with what comes after `position`, once the feed is not ahead of that; null: with what comes from now on. */
  join: (position: EventPosition, listener: Listener) => boolean
  leave: (listener: Listener) => void
  stop: () => void
}

/** Reads new events for all that listen, and only while somebody does. */
export function createEventFeed({ db, log }: { db: Kysely<DB>; log: Logger }): EventFeed {
  const listeners = new Set<Listener>()
  let position: EventPosition | null = null
  let timer: NodeJS.Timeout | null = null
  let stopped = false

  const tell = (events: readonly EventRow[]): void => {
    for (const listener of listeners) {
      try {
        listener(events)
      } catch (err) {
        listeners.delete(listener)
        log.warn({ err }, 'a listener to events failed and is dropped')
      }
    }
  }
  const poll = async (): Promise<void> => {
    try {
      position ??= await presentPosition(db)
      let events: EventRow[]
      do {
        events = await readEvents(db, position, PAGE)
        const last = events.at(-1)
        if (last !== undefined) position = { transaction: last.transaction, id: last.id }
        if (events.length > 0) tell(events)
      } while (events.length === PAGE && listeners.size > 0)
    } catch (err) {
      log.warn({ err }, 'events cannot be read for now')
    }
    timer = null
    schedule()
  }
  const schedule = (): void => {
    if (stopped || timer !== null) return
    if (listeners.size === 0) position = null
    else timer = setTimeout(() => void poll(), POLL_MS)
  }

  return {
    join(from, listener) {
      if (position !== null && comparePositions(from, position) < 0) return false
      position ??= from
      listeners.add(listener)
      schedule()
      return true
    },
    leave: (listener) => void listeners.delete(listener),
    stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      listeners.clear()
    },
  }
}
