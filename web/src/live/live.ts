import type { QueryClient } from '@tanstack/react-query'
import { isStaleAfter, type LiveEvent, readsItself } from './stale.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

/** Changes that come together are read once; a storm of them costs one read each so often. */
const GATHER_MS = 400
const RETRY_MS = { first: 1000, most: 30_000 }
const KINDS = ['drift', 'flag_raised', 'flag_ended', 'report', 'head', 'evaluation'] as const

/**
 * Follows the server's events and has what they change read again. A connection that the server ended or the network lost
 * is taken up where it was left, and what is in sight is read anew, in case that place is gone.
 */
export function createLive(client: QueryClient) {
  let state: LiveState = 'connecting'
  let source: EventSource | null = null
  let lastId: string | null = null
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let gathering: ReturnType<typeof setTimeout> | undefined
  let gathered: LiveEvent[] = []
  const listeners = new Set<() => void>()

  const become = (next: LiveState): void => {
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }
  const refresh = (): void => {
    gathering = undefined
    const events = gathered
    gathered = []
    const isStale = (key: readonly unknown[]): boolean => events.some((event) => isStaleAfter(event, key))
    void client.invalidateQueries({
      predicate: ({ queryKey }) => isStale(queryKey) && !readsItself(queryKey),
    })
    void client.invalidateQueries({
      predicate: ({ queryKey }) => isStale(queryKey) && readsItself(queryKey),
      refetchType: 'none',
    })
  }
  const take = (message: MessageEvent<string>): void => {
    lastId = message.lastEventId
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server wrote it
    gathered.push(JSON.parse(message.data) as LiveEvent)
    gathering ??= setTimeout(refresh, GATHER_MS)
  }

  const connect = (): void => {
    clearTimeout(retry)
    source?.close()
    const opened = new EventSource(
      lastId === null ? '/api/v1/events' : `/api/v1/events?after=${encodeURIComponent(lastId)}`,
    )
    source = opened
    for (const kind of KINDS) opened.addEventListener(kind, take)
    opened.addEventListener('open', () => {
      const wasLost = state === 'lost'
      failures = 0
      become('live')
      if (wasLost) void client.invalidateQueries()
    })
    opened.addEventListener('error', () => {
      become('lost')
      // the browser's own attempts end for good at an answer that is not a stream
      opened.close()
      const wait = Math.min(RETRY_MS.first * 2 ** failures, RETRY_MS.most)
      failures += 1
      retry = setTimeout(connect, wait)
    })
  }
  const disconnect = (): void => {
    clearTimeout(retry)
    clearTimeout(gathering)
    gathering = undefined
    source?.close()
    source = null
  }

  return {
    connect,
    disconnect,
    state: (): LiveState => state,
    subscribe: (listener: () => void): (() => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
export type Live = ReturnType<typeof createLive>
