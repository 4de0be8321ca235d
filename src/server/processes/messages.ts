/** What a process that serves says to the one that has started it. */
export type ToSupervisor =
  /** Its event loop turns. */
  | { type: 'alive' }
  /** It answers requests. */
  | { type: 'ready' }
  /** It wants the metrics of the others. */
  | { type: 'ask-others'; id: number }
  /** Its own metrics, for the question with this number. */
  | { type: 'metrics'; id: number; text: string }

/** What it is told. */
export type ToProcess =
  | { type: 'stop' }
  /** It is asked for its own metrics. */
  | { type: 'ask'; id: number }
  /** The metrics of the others, for its question with this number. */
  | { type: 'others'; id: number; texts: string[] }

/** In the environment of a process that serves: its `Seat`, as JSON. */
export const SEAT_VARIABLE = 'CRYSTAL_FORGE_SEAT'

/** What a process has in common with the one that is started in its place when it has died. */
export interface Seat {
  /** From 1. */
  number: number
  /** Under what it says that it is there, and its evaluator. */
  instances: { server: string; evaluator: string }
}

/** So often it says that it is alive. */
export const ALIVE_MS = 10_000
