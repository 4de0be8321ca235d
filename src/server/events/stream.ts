import type { ServerResponse } from 'node:http'
import type { Kysely } from 'kysely'
import {
  comparePositions,
  type EventPosition,
  type EventRow,
  presentPosition,
  readEvents,
} from '../../store/events.ts'
import type { DB } from '../../store/schema.generated.ts'
import type { EventFeed } from './feed.ts'

/** A comment so often keeps proxies from ending a quiet stream, and finds readers that are gone or may not read any more. */
const HEARTBEAT_MS = 15_000
/** Then it is ended, and its reader comes back with a token that is checked again. */
const MAX_AGE_MS = 15 * 60_000
/** So long a stream that ends may take to be read to its end. */
const LAST_WORDS_MS = 1000
/** A reader with more unread than this when the next events come is dropped; it may come back and go on from there. */
const MAX_UNREAD_BYTES = 1024 * 1024
const PAGE = 200

/**
 * Sends events as https://html.spec.whatwg.org/multipage/server-sent-events.html has them, until the reader goes or `end`
 * is called.
 */
export function createEventStream(options: {
  db: Kysely<DB>
  feed: EventFeed
  response: ServerResponse
  /** Where the reader left off; null: only what comes from now on. */
  after: EventPosition | null
  /** Ends when what there is has been sent. */
  once: boolean
  /** Whether the reader may still read: asked as often as it is told that we are there. */
  isWelcome: () => Promise<boolean>
}) {
  const { db, feed, response, after, once, isWelcome } = options
  let ended = false

  const end = (): void => {
    if (ended) return
    ended = true
    clearInterval(heartbeat)
    clearTimeout(age)
    feed.leave(sendLive)
    response.end()
    // what a reader has not taken by then it asks for again
    const last = setTimeout(() => response.destroy(), LAST_WORDS_MS)
    response.once('close', () => clearTimeout(last))
  }
  const write = (text: string): void => {
    if (!ended) response.write(text)
  }
  let position: EventPosition | null = after
  const send = (events: readonly EventRow[]): void => {
    for (const event of events) {
      if (position !== null && comparePositions(event, position) <= 0) continue
      position = { transaction: event.transaction, id: event.id }
      write(formatEvent(event))
    }
  }
  const sendLive = (events: readonly EventRow[]): void => {
    if (response.writableLength <= MAX_UNREAD_BYTES) return send(events)
    end()
    response.destroy()
  }
  const beat = async (): Promise<void> => {
    // without the database nobody is; who comes back hears why
    if (await isWelcome().catch(() => false)) write(': still here\n\n')
    else end()
  }
  const heartbeat = setInterval(() => void beat(), HEARTBEAT_MS)
  const age = setTimeout(end, MAX_AGE_MS)
  response.once('close', end)

  /** Sends what there is since the reader left, each page once the one before is on its way. */
  const catchUp = async (from: EventPosition): Promise<void> => {
    let at = from
    for (;;) {
      const events = await readEvents(db, at, PAGE)
      send(events)
      at = position ?? at
      if (response.writableNeedDrain) await drained(response)
      if (ended) return
      if (events.length === PAGE) continue
      if (once) return end()
      if (feed.join(at, sendLive)) return
    }
  }

  return {
    end,
    /** Resolves when the connection is closed. */
    closed: new Promise<void>((resolve) => response.once('close', resolve)),
    async start(): Promise<void> {
      const from = after ?? (await presentPosition(db))
      if (ended) return
      position = from
      // an id without data: who comes back before the first event goes on from here
      write(`id: ${formatPosition(from)}\n\n`)
      await catchUp(from)
    },
  }
}
export type EventStream = ReturnType<typeof createEventStream>

/** Resolves when the reader has read on, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(() => response.destroy(), HEARTBEAT_MS)
    response.once('drain', done)
    response.once('close', done)
  })
}

function formatEvent(event: EventRow): string {
  const { at, kind, hostname, flake_id, commit, details } = event
  const data = JSON.stringify({ kind, at, resource: resourceOf(event), hostname, flake_id, commit, details })
  return `id: ${formatPosition(event)}\nevent: ${kind}\ndata: ${data}\n\n`
}

/** The path below /api/v1 of what changed. */
function resourceOf({ hostname, flake_id, commit }: EventRow): string | null {
  if (hostname !== null) return `/systems/${encodeURIComponent(hostname)}`
  if (commit !== null) return `/commits/${commit}`
  return flake_id === null ? null : `/flakes/${flake_id}`
}

const formatPosition = ({ transaction, id }: EventPosition): string => `${transaction}-${id}`

/** The place that an event's id names, or null. */
export function parsePosition(text: string): EventPosition | null {
  const [, transaction, id] = /^(\d{1,19})-(\d{1,15})$/.exec(text) ?? []
  return transaction === undefined || id === undefined
    ? null
    : { transaction: BigInt(transaction), id: Number(id) }
}
