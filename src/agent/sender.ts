import type { Delivery, Sent } from './delivery.ts'
import type { AgentLogger } from './log.ts'
import type { Outbox } from './outbox.ts'
import type { Reporter } from './reporter.ts'

export interface Sender {
  /** Sends one thing; null when there is nothing to send. */
  step: () => Promise<Sent | null>
  /** Sends whatever there is until `signal` is aborted. */
  run: () => Promise<void>
}

export interface SenderOptions {
  outbox: Outbox
  reporter: Reporter
  delivery: Delivery
  /** Resolves when there may be something to send. */
  waitForWork: () => Promise<void>
  sleep: (ms: number, signal: AbortSignal) => Promise<void>
  signal: AbortSignal
  log: AgentLogger
}

/** After an error of our own, which waiting may or may not cure. */
const AFTER_ERROR_MS = 10_000

/**
 * One request at a time, reports before the heartbeat: they are what the server would ask for. When one of the two
 * failed the other has its turn, so that trouble with one endpoint does not silence the other.
 */
export function createSender(options: SenderOptions): Sender {
  const { outbox, reporter, delivery, signal, log } = options
  let reportFailed = false

  const step = async (): Promise<Sent | null> => {
    const facts = reporter.due()
    const outgoing = reportFailed && facts !== null ? null : await outbox.next()
    if (outgoing !== null) {
      const sent = await delivery.sendReport(outgoing)
      reportFailed = !sent.done
      return sent
    }
    if (facts === null) return null
    reportFailed = false
    const sent = await delivery.sendHeartbeat(facts)
    if (sent.done) reporter.heartbeatDone(facts)
    return sent
  }

  const stepSafely = async (): Promise<Sent | null> => {
    try {
      return await step()
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'sending failed inside the agent')
      return { done: false, waitMs: AFTER_ERROR_MS }
    }
  }

  return {
    step,
    run: async () => {
      while (!signal.aborted) {
        const sent = await stepSafely()
        if (signal.aborted) return
        if (sent === null) await options.waitForWork()
        else if (sent.waitMs > 0) await options.sleep(sent.waitMs, signal)
      }
    },
  }
}
