import cluster, { type Worker } from 'node:cluster'
import type { Part } from '../../lib/lifecycle.ts'
import type { Logger } from '../../lib/log.ts'
import { backoffMs } from '../../lib/retry.ts'
import { ALIVE_MS, type Seat, SEAT_VARIABLE, type ToProcess, type ToSupervisor } from './messages.ts'
import { createQuestions } from './questions.ts'

const RESTART_BACKOFF = { baseMs: 500, capMs: 30_000, random: Math.random }
/** A process that has lived for so long is started again as soon as the first time. */
const STEADY_MS = 60_000
/** As long as the systemd unit lets a server be silent (`WatchdogSec`). */
const SILENT_TICKS = 18
const METRICS_TIMEOUT_MS = 2000

interface Occupied extends Seat {
  worker: Worker
  startedAt: number
  /** Ends in a row, each soon after its start. */
  failures: number
  /** Since it last said that it is alive. */
  silentTicks: number
  /** The next start, while there is no process. */
  restart: NodeJS.Timeout | undefined
}

/**
 * Runs `count` processes of this program that are one server: they share its sockets, connections going to each in its turn
 * (node:cluster). The first starts alone, so that one prepares the database, and what keeps all from starting is said once.
 * `start` rejects when one ends before it is ready; later one that ends, or hangs, is started again, later each time.
 */
export function superviseProcesses(options: { count: number; log: Logger; tickMs?: number }): Part {
  const { count, log, tickMs = ALIVE_MS } = options
  const questions = createQuestions<string>(METRICS_TIMEOUT_MS)
  const seats: Occupied[] = []
  let isStarted = false
  let isStopping = false
  let ticks: NodeJS.Timeout | undefined

  const readOthers = async (asker: Occupied): Promise<string[]> => {
    const others = seats.filter((seat) => seat !== asker && seat.worker.isConnected())
    const texts = await Promise.all(
      others.map((seat) => questions.ask((id) => tell(seat.worker, { type: 'ask', id }))),
    )
    return texts.filter((text) => text !== null)
  }
  const hear = (seat: Occupied, worker: Worker, message: ToSupervisor): void => {
    switch (message.type) {
      case 'alive':
        seat.silentTicks = 0
        return
      case 'metrics':
        return questions.answer(message.id, message.text)
      case 'ask-others':
        void readOthers(seat).then((texts) => tell(worker, { type: 'others', id: message.id, texts }))
        return
      case 'ready':
        log.info({ process: seat.number, pid: worker.process.pid }, 'a server process is ready')
    }
  }

  const occupy = (seat: Occupied): void => {
    const { worker } = seat
    worker.on('message', (message: ToSupervisor) => hear(seat, worker, message))
    worker.once('exit', (code, signal) => {
      if (isStarted && !isStopping) replace(seat, endOf(code, signal))
    })
  }
  const replace = (seat: Occupied, ended: string): void => {
    const { number, worker } = seat
    const isSteady = performance.now() - seat.startedAt > STEADY_MS
    const inMs = backoffMs(isSteady ? 0 : seat.failures, RESTART_BACKOFF)
    seat.failures = isSteady ? 1 : seat.failures + 1
    log.error(
      { process: number, pid: worker.process.pid, ended, inMs },
      'a server process has ended by itself; it is started again',
    )
    seat.restart = setTimeout(() => {
      seat.restart = undefined
      seat.worker = fork(seat)
      seat.startedAt = performance.now()
      seat.silentTicks = 0
      occupy(seat)
    }, inMs)
  }
  const endSilent = (): void => {
    for (const seat of seats) {
      seat.silentTicks += 1
      if (seat.silentTicks <= SILENT_TICKS || seat.restart !== undefined) continue
      log.error({ process: seat.number, pid: seat.worker.process.pid }, 'a server process hangs: killing it')
      seat.silentTicks = 0
      seat.worker.process.kill('SIGKILL')
    }
  }

  const startSeat = async (number: number): Promise<void> => {
    const empty = { number, instances: { server: crypto.randomUUID(), evaluator: crypto.randomUUID() } }
    const seat: Occupied = {
      ...empty,
      worker: fork(empty),
      startedAt: performance.now(),
      failures: 0,
      silentTicks: 0,
      restart: undefined,
    }
    seats.push(seat)
    occupy(seat)
    await readiness(seat)
  }

  const stop = async (): Promise<void> => {
    isStopping = true
    clearInterval(ticks)
    for (const seat of seats) clearTimeout(seat.restart)
    const ends = await Promise.all(
      seats.map(async ({ number, worker }) => {
        if (worker.isDead()) return null
        const end = endingOf(worker)
        tell(worker, { type: 'stop' })
        const how = await end
        return how === 'status 0' ? null : `process ${number}: ${how}`
      }),
    )
    const failures = ends.filter((end) => end !== null)
    if (failures.length > 0) throw new Error(`server processes did not end well: ${failures.join(', ')}`)
  }

  return {
    start: async () => {
      ticks = setInterval(endSilent, tickMs)
      try {
        await startSeat(1)
        await Promise.all(Array.from({ length: count - 1 }, (_, index) => startSeat(index + 2)))
        // one that was ready first, and ended before the others were
        const dead = seats.find(({ worker }) => worker.isDead())
        if (dead !== undefined) throw new Error(`server process ${dead.number} has ended`)
      } catch (error) {
        // why it ended it has said itself; that the others are stopped early is no further news
        await stop().catch(() => {})
        throw error
      }
      isStarted = true
      log.info({ processes: count }, 'all processes of the server are ready')
    },
    stop,
  }
}

function tell(worker: Worker, message: ToProcess): void {
  // one that ends at this moment does not have to be told
  if (worker.isConnected()) worker.send(message, () => {})
}

/** What systemd hears about the service the supervisor alone says. */
function fork({ number, instances }: Seat): Worker {
  return cluster.fork({ [SEAT_VARIABLE]: JSON.stringify({ number, instances }), NOTIFY_SOCKET: '' })
}

/** Resolves when it is ready; rejects when it ends before. */
function readiness({ number, worker }: Occupied): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: ToSupervisor) => {
      if (message.type === 'ready') resolve()
    })
    worker.once('exit', (code, signal) =>
      reject(new Error(`server process ${number} ended before it was ready, with ${endOf(code, signal)}`)),
    )
  })
}

const endingOf = (worker: Worker): Promise<string> =>
  new Promise((resolve) => {
    worker.once('exit', (code, signal) => resolve(endOf(code, signal)))
  })

const endOf = (code: number | null, signal: string | null): string => signal ?? `status ${code}`
