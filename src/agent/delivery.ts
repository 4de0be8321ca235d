import type { Clock } from '../lib/clock.ts'
import { explainError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { encodeBase64, type PrivateKey } from '../protocol/keys.ts'
import type { Enrollment } from '../protocol/messages.ts'
import { signRequest } from '../protocol/sign.ts'
import { decide, type Action, type Request } from './answer.ts'
import type { AgentLogger } from './log.ts'
import type { Outbox, Outgoing } from './outbox.ts'
import type { Pace } from './pace.ts'
import type { HeartbeatFacts } from './report.ts'
import { StaleConnection, type Answer, type Transport } from './transport.ts'

/** One exchange each. */
export interface Delivery {
  sendHeartbeat: (facts: HeartbeatFacts) => Promise<Sent>
  sendReport: (outgoing: Outgoing) => Promise<Sent>
}

export interface Sent {
  /** The server took it or refused it for good: it is not to be sent again. */
  done: boolean
  /** How long to leave the server alone. */
  waitMs: number
}

export interface DeliveryOptions {
  outbox: Outbox
  transport: Transport
  key: PrivateKey
  enrollmentToken: Secret | null
  /** The host name an enrolment gives. */
  hostname: () => string
  pace: Pace
  clock: Clock
  log: AgentLogger
  signal: AbortSignal
  onInterval: (secs: number) => void
  /** The server has another state of this machine than the heartbeat said. */
  onWanted: () => Promise<void>
}

/** `again`: there was no answer, for no fault of the server. */
type Outcome = Action | { do: 'again' }

const UNAVAILABLE = 'the server cannot be asked'
const DONE: Sent = { done: true, waitMs: 0 }

/** Sends what it is given, and does what the answers ask for. Rejects only when `signal` was aborted. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, transport, key, enrollmentToken, pace, clock, log, signal } = options
  let lastTrouble: string | null = null

  const post = (path: string, body: Buffer): Promise<Answer> => {
    const { authority } = transport
    const createdSecs = Math.floor((clock() + outbox.state.clockOffsetMs) / 1000)
    const headers = signRequest({ method: 'POST', authority, path, body, key, createdSecs })
    return transport.post(path, { ...headers }, body, signal)
  }

  const ask = async (request: Request, body: Buffer): Promise<Outcome> => {
    try {
      const answer = await post(`/agent/${request.endpoint}`, body)
      const hasToken = enrollmentToken !== null && request.endpoint !== 'enroll'
      return decide(answer, { request, trusted: transport.trusted, hasToken, nowMs: clock() })
    } catch (error) {
      if (signal.aborted) throw error
      log.debug({ err: error }, 'no answer')
      if (error instanceof StaleConnection) return { do: 'again' }
      return { do: 'wait', because: 'unavailable', retryAfterMs: 0, why: explainError(error) }
    }
  }

  /** Said once, until it changes or is over: a server may be away for days. */
  const warnOnce = (message: string, why: string): void => {
    const trouble = `${message}: ${why}`
    if (trouble === lastTrouble) log.debug(trouble)
    else log.warn(trouble)
    lastTrouble = trouble
  }

  const answered = (): Sent => {
    if (lastTrouble !== null) log.info('the server answers again')
    lastTrouble = null
    pace.answered()
    return DONE
  }

  /** What has nothing to do with the request itself. */
  const recover = async (action: Outcome): Promise<Sent> => {
    switch (action.do) {
      case 'wait':
        warnOnce(action.because === 'refused' ? 'the server refuses this agent' : UNAVAILABLE, action.why)
        return { done: false, waitMs: pace.afterFailure(action.because, action.retryAfterMs) }
      case 'again':
        return { done: false, waitMs: pace.afterCorrection() }
      case 'correct-clock':
        return { done: false, waitMs: await correctClock(action.serverTimeMs, action.why) }
      case 'enroll':
        return await enroll(action.why)
      default:
        // What only the other endpoints are answered: an enrolment cannot be given up or renumbered.
        warnOnce('the server refuses this agent', 'why' in action ? action.why : action.do)
        return { done: false, waitMs: pace.afterFailure('refused', 0) }
    }
  }

  const correctClock = async (serverTimeMs: number, why: string): Promise<number> => {
    const offsetMs = serverTimeMs - clock()
    log.warn({ why, clock_offset_secs: Math.round(offsetMs / 1000) }, "signing with the server's time")
    await outbox.correctClock(offsetMs)
    return pace.afterCorrection()
  }

  const enroll = async (why: string): Promise<Sent> => {
    if (enrollmentToken === null || !transport.trusted) {
      warnOnce('the key is not known to the server, and a token is sent only over TLS or loopback', why)
      return { done: false, waitMs: pace.afterFailure('refused', 0) }
    }
    const document: Enrollment = {
      version: 1,
      token: enrollmentToken.reveal(),
      hostname: options.hostname(),
      public_key: encodeBase64(key.publicKey),
    }
    log.info({ key_id: key.id, hostname: document.hostname }, 'enrolling')
    const outcome = await ask({ endpoint: 'enroll' }, Buffer.from(JSON.stringify(document)))
    if (outcome.do !== 'accept') return await recover(outcome)
    log.info({ key_id: key.id }, 'enrolled')
    return { done: false, waitMs: pace.afterCorrection() }
  }

  return {
    sendHeartbeat: async (facts) => {
      const action = await ask({ endpoint: 'heartbeat' }, await outbox.heartbeat(facts))
      switch (action.do) {
        case 'heartbeat-done':
          if (action.intervalSecs !== null) options.onInterval(action.intervalSecs)
          if (action.wanted) await options.onWanted()
          return answered()
        case 'give-up':
          log.error({ why: action.why }, 'the server refused a heartbeat; it is dropped')
          return answered()
        case 'renumber':
          log.warn({ why: action.why }, 'the server has seen later heartbeats of this key')
          outbox.skipHeartbeats(action.lastSequence)
          return { done: false, waitMs: pace.afterCorrection() }
        default:
          return await recover(action)
      }
    },
    sendReport: async ({ report, body }) => {
      const { id } = report
      const action = await ask({ endpoint: 'state', id }, body)
      switch (action.do) {
        case 'accept':
          await outbox.accepted(report)
          log.info({ report: id }, 'report accepted')
          return answered()
        case 'give-up':
          log.error({ report: id, why: action.why }, 'the server refused a report; it is set aside')
          await outbox.setAside(report)
          return answered()
        case 'renumber':
          log.warn({ report: id, why: action.why }, 'the server has seen later reports; these are made again')
          await outbox.renumber(action.lastSequence)
          return { done: false, waitMs: pace.afterCorrection() }
        default:
          outbox.unsent()
          return await recover(action)
      }
    },
  }
}
