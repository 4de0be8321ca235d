import { explainError } from '../lib/errors.ts'
import type { ReportReason } from '../protocol/limits.ts'
import type { AgentLogger } from './log.ts'
import { createMutex } from './mutex.ts'
import type { Observer } from './observe.ts'
import type { Outbox } from './outbox.ts'
import type { HeartbeatFacts, Observation } from './report.ts'
import type { ReportRecord } from './state.ts'

/** `beat`: a heartbeat is due unless there is more to say; `change`: only a change is of interest. */
export type Occasion = 'beat' | 'change'

/** Looks at the machine and decides what there is to send (docs/protocol.md, "When the agent sends what"). */
export interface Reporter {
  /** Puts a report into the outbox or makes a heartbeat due. Never rejects. */
  look: (occasion: Occasion) => Promise<void>
  /** Puts a report into the outbox, whatever has changed or not. Rejects when the machine cannot be looked at. */
  report: (reason: ReportReason) => Promise<void>
  /** The heartbeat to send, if one is due. */
  due: () => HeartbeatFacts | null
  heartbeatDone: (facts: HeartbeatFacts) => void
  /** The server answered a heartbeat with `wanted`. */
  wanted: () => Promise<void>
  latest: () => Observation | null
  /** Resolves when no look is under way. */
  idle: () => Promise<void>
}

export interface ReporterOptions {
  observer: Observer
  outbox: Outbox
  log: AgentLogger
  /** There is something to send. */
  onWork: () => void
}

/** A look that has not begun. It sees all that others asked for meanwhile would see: a slow disk makes no queue of them. */
interface WaitingLook {
  occasion: Occasion
  done: Promise<void>
}

export function createReporter({ observer, outbox, log, onWork }: ReporterOptions): Reporter {
  const inOrder = createMutex()
  let started = false
  let latest: Observation | null = null
  let heartbeat: HeartbeatFacts | null = null
  let lastFailure = ''
  let waiting: WaitingLook | null = null

  const look = async (occasion: Occasion): Promise<void> => {
    const seen = await observer.observe()
    const { observation, boot } = seen
    latest = observation
    lastFailure = ''
    const reason = started ? changeOf(observation, outbox.state.made) : startupOf(observation, outbox)
    if (reason !== null) {
      heartbeat = null
      await outbox.make(observation, reason)
    } else if (occasion === 'beat' || !started) {
      heartbeat = { ...boot, current: observation.system?.current ?? null, digest: observation.digest }
    }
    started = true
    onWork()
  }

  /** The last known digest, as long as there is one: the host is alive, whatever is wrong with reading it. */
  const lookFailed = async (occasion: Occasion, error: unknown): Promise<void> => {
    const failure = explainError(error)
    if (failure !== lastFailure) log.error({ err: error }, 'the machine cannot be looked at')
    lastFailure = failure
    const digest = latest?.digest ?? outbox.state.made?.digest
    if (digest === undefined || occasion !== 'beat') return
    const facts = await observer.observeLittle(digest)
    // What was seen since this process started was seen in this boot.
    heartbeat = { ...facts, bootId: facts.bootId ?? latest?.bootId ?? null }
    onWork()
  }

  const lookSafely = async (occasion: Occasion): Promise<void> => {
    try {
      await look(occasion).catch((error: unknown) => lookFailed(occasion, error))
    } catch (error) {
      log.error({ err: error }, 'no heartbeat can be made')
    }
  }

  return {
    look: async (occasion) => {
      if (waiting === null) {
        const next: WaitingLook = {
          occasion,
          done: inOrder(async () => {
            waiting = null
            await lookSafely(next.occasion)
          }),
        }
        waiting = next
      } else if (occasion === 'beat') {
        waiting.occasion = occasion
      }
      await waiting.done
    },
    report: (reason) =>
      inOrder(async () => {
        const { observation } = await observer.observe()
        latest = observation
        started = true
        await outbox.make(observation, reason)
      }),
    due: () => heartbeat,
    heartbeatDone: (facts) => {
      if (heartbeat === facts) heartbeat = null
    },
    wanted: async () => {
      if (!outbox.isEmpty() || latest === null) return
      if (latest.digest === outbox.state.accepted?.digest) {
        log.warn({ state_digest: latest.digest }, 'the server asks for a report it has accepted before')
      }
      if (!(await outbox.makeRequested(latest))) {
        log.debug('a report was asked for again within 10 minutes; not made')
      }
    },
    latest: () => latest,
    idle: () => inOrder(async () => {}),
  }
}

function startupOf(observation: Observation, outbox: Outbox): ReportReason | null {
  const last = outbox.isEmpty() ? outbox.state.accepted : outbox.state.made
  const sameBoot = observation.bootId !== null && observation.bootId === last?.bootId
  return sameBoot && observation.digest === last?.digest ? null : 'startup'
}

/** By what has changed, not by what was noticed first: the timer can be quicker than the watch. */
function changeOf(observation: Observation, made: ReportRecord | null): ReportReason | null {
  if (observation.digest === made?.digest) return null
  return observation.systemDigest === made?.systemDigest ? 'state_delta' : 'config_change'
}
