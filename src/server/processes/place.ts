import cluster from 'node:cluster'
import { ALIVE_MS, type Seat, SEAT_VARIABLE, type ToProcess, type ToSupervisor } from './messages.ts'
import { createQuestions } from './questions.ts'

/** Longer than the supervisor waits for each of the others, shorter than Prometheus waits. */
const OTHERS_TIMEOUT_MS = 4000

/** What a process is among those that are one server together. */
export interface Place extends Seat {
  /** Resolves when it is to stop. */
  told: Promise<void>
  ready: () => void
  /** How its metrics are read for another process. */
  shareMetrics: (read: () => Promise<string>) => void
  /** The metrics of the other processes, as each writes them down; of those that answer. */
  readOthers: () => Promise<string[]>
  /** Lets go of the supervisor, which would keep this process from ending. */
  leave: () => void
}

/** Null: this process is the whole server. */
export function takePlace(env: Readonly<Record<string, string | undefined>>): Place | null {
  const { worker } = cluster
  if (worker === undefined) return null
  const seat: Seat = JSON.parse(env[SEAT_VARIABLE] ?? '')
  const send = (message: ToSupervisor): void => {
    // without a supervisor this process ends by itself (node:cluster)
    if (worker.isConnected()) worker.send(message)
  }
  const questions = createQuestions<string[]>(OTHERS_TIMEOUT_MS)
  const told = Promise.withResolvers<void>()
  let read: (() => Promise<string>) | undefined
  worker.on('message', (message: ToProcess) => {
    switch (message.type) {
      case 'stop':
        return told.resolve()
      case 'others':
        return questions.answer(message.id, message.texts)
      case 'ask':
        void read?.().then(
          (text) => send({ type: 'metrics', id: message.id, text }),
          () => {
            // who asks goes on without those that do not answer
          },
        )
    }
  })
  setInterval(() => send({ type: 'alive' }), ALIVE_MS).unref()
  return {
    ...seat,
    told: told.promise,
    ready: () => send({ type: 'ready' }),
    shareMetrics: (reader) => {
      read = reader
    },
    readOthers: async () => (await questions.ask((id) => send({ type: 'ask-others', id }))) ?? [],
    leave: () => {
      if (worker.isConnected()) worker.disconnect()
    },
  }
}
