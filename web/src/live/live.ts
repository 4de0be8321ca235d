import type { QueryClient } from '@tanstack/react-query'
import { isStaleAfter, type LiveEvent, readsItself } from './stale.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

/** Changes that come together are read once; those that come while that is read wait for it, but not for long. */
const GATHER_MS = 400
const LONGEST_READ_MS = 10_000
const RETRY_MS = { first: 1000, most: 30_000 }
/** The server ends a stream from time to time: nobody has to hear of that when it is taken up again at once. */
const LOST_AFTER_MS = 3000
const KINDS = ['drift', 'flag_raised', 'flag_ended', 'report', 'head', 'evaluation'] as const

/**
 * Follows the server's events and has what they change read again. After a time without a stream what is in sight is read
 * anew, however much happened in it. `onRefused` is called when no stream is to be had: the network, the server, or the
 * session may be gone.
 */
export function createLive(client: QueryClient, onRefused: () => void) {
  let state: LiveState = 'connecting'
  let source: EventSource | null = null
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let losing: ReturnType<typeof setTimeout> | undefined
  let isRefreshing = false
  let gathered: LiveEvent[] = []
  const listeners = new Set<() => void>()

  const become = (next: LiveState): void => {
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }
  const readAnew = async (isStale: (key: readonly unknown[]) => boolean): Promise<void> => {
    void client.invalidateQueries({
      predicate: ({ queryKey }) => isStale(queryKey) && readsItself(queryKey),
      refetchType: 'none',
    })
    await client.invalidateQueries({
      predicate: ({ queryKey }) => isStale(queryKey) && !readsItself(queryKey),
    })
  }
  const refresh = async (): Promise<void> => {
    isRefreshing = true
    while (gathered.length > 0) {
      await pause(GATHER_MS)
      const events = gathered
      gathered = []
      const read = readAnew((key) => events.some((event) => isStaleAfter(event, key)))
      // to begin a read again before it has ended is to have none for as long as changes come
      await Promise.race([read, pause(LONGEST_READ_MS)])
    }
    isRefreshing = false
  }
  const take = (message: MessageEvent<string>): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server wrote it
    gathered.push(JSON.parse(message.data) as LiveEvent)
    if (!isRefreshing) void refresh()
  }

  const connect = (): void => {
    clearTimeout(retry)
    source?.close()
    const opened = new EventSource('/api/v1/events')
    source = opened
    let isOpen = false
    for (const kind of KINDS) opened.addEventListener(kind, take)
    opened.addEventListener('open', () => {
      clearTimeout(losing)
      losing = undefined
      isOpen = true
      failures = 0
      // what the page began with was read while the first stream was on its way
      if (state !== 'connecting') void readAnew(() => true)
      become('live')
    })
    opened.addEventListener('error', () => {
      // the browser's own attempts end for good at an answer that is not a stream
      opened.close()
      losing ??= setTimeout(() => become('lost'), LOST_AFTER_MS)
      if (!isOpen) onRefused()
      const wait = Math.min(RETRY_MS.first * 2 ** failures, RETRY_MS.most)
      failures += 1
      retry = setTimeout(connect, wait)
    })
  }
  const disconnect = (): void => {
    clearTimeout(retry)
    clearTimeout(losing)
    losing = undefined
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
