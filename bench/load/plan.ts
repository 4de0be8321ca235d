/** Where the generated systems are told apart: `host-<n>`, with a key that `seedOf(n)` gives. */
export interface LoadPlan {
  /** Of a server on 127.0.0.1. */
  port: number
  /** When requests are signed: all of them before the first is sent, or each as it is sent. */
  signed: 'before' | 'meanwhile'
  /** The systems host-0 to host-(systems - 1) send in turn. */
  systems: number
  requests: number
  /** One request in so many is a report, the others are heartbeats; 0: none, 1: all. */
  reportEvery: number
  /** Whether each report says that the system runs something else than in the one before. */
  changing: boolean
  connections: number
  /** Requests a second, sent when they are due; null: each connection sends as soon as it has its answer. */
  rate: number | null
  /**
   * When what was refused or lost is sent again: null, never; `soon`, after what Retry-After says; `as-agents`, as agents do that
   * have tried in vain for long, the last time just before: the first request on each connection waits already.
   */
  retry: 'soon' | 'as-agents' | null
}

/** Latencies in milliseconds, from when a request was due (so that a slow server hides nothing by slowing the load). */
export interface LoadResult {
  /** Answers by status code; 0: the connection was lost. */
  statuses: Record<string, number>
  seconds: number
  p50: number
  p99: number
  max: number
  /** Processor time of the generator while it sent. */
  cpuSeconds: number
}
