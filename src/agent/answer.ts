import { HEARTBEAT_INTERVAL_SECS } from '../protocol/limits.ts'
import { parseObject } from './json.ts'
import { readProblem } from './received-problem.ts'
import type { Answer } from './transport.ts'

/** What was asked, as far as it decides what the answer means. */
export type Request = { endpoint: 'heartbeat' } | { endpoint: 'state'; id: string } | { endpoint: 'enroll' }

/** What an answer asks the agent to do (docs/protocol.md, "Status codes"). */
export type Action =
  /** Of a report: stored. Of an enrolment: the key is active. */
  | { do: 'accept' }
  | { do: 'heartbeat-done'; wanted: boolean; intervalSecs: number | null }
  /** The server will never take it: a heartbeat is dropped, a report set aside and counted. */
  | { do: 'give-up'; why: string }
  /** The sequence is used up; `lastSequence` is null where the server's is not to be believed. */
  | { do: 'renumber'; lastSequence: number | null; why: string }
  | { do: 'correct-clock'; serverTimeMs: number; why: string }
  | { do: 'enroll'; why: string }
  | Wait

/** `refused`: the server says no to this key; `unavailable`: whatever else is no answer of ours. */
export interface Wait {
  do: 'wait'
  because: 'refused' | 'unavailable'
  retryAfterMs: number
  why: string
}

export interface AnswerContext {
  request: Request
  /** The answer came over verified TLS or loopback. */
  trusted: boolean
  hasToken: boolean
  nowMs: number
}

const MAX_RETRY_AFTER_MS = 3_600_000

/** Decides by status, media type and the members of our own documents; nothing else in an answer is believed. */
export function decide(answer: Answer, context: AnswerContext): Action {
  const { status } = answer
  return status >= 200 && status < 300 ? decideSuccess(answer, context) : decideFailure(answer, context)
}

function decideSuccess(answer: Answer, context: AnswerContext): Action {
  const { status } = answer
  const reply = parseObject(answer.body)
  const { request } = context
  switch (request.endpoint) {
    case 'heartbeat': {
      const state = reply?.['state']
      if (status !== 200 || (state !== 'known' && state !== 'wanted')) break
      return { do: 'heartbeat-done', wanted: state === 'wanted', intervalSecs: readInterval(reply) }
    }
    case 'state':
      if (status !== 200 || reply?.['accepted'] !== request.id) break
      return { do: 'accept' }
    case 'enroll':
      if (status <= 201 && reply?.['status'] === 'active') return { do: 'accept' }
      if (status !== 202 || reply?.['status'] !== 'pending') break
      return refused(answer, context, 'the key waits for approval by an operator')
  }
  return unavailable(answer, context, `status ${status} with a body that is not the server's`)
}

function decideFailure(answer: Answer, context: AnswerContext): Action {
  const problem = readProblem(answer)
  if (problem === null) {
    return unavailable(answer, context, `status ${answer.status} with a body that is not the server's`)
  }
  const why = problem.detail === '' ? problem.name : `${problem.name}: ${problem.detail}`
  switch (problem.name) {
    case 'malformed':
    case 'too-large':
    case 'unsupported':
    case 'invalid':
      return { do: 'give-up', why }
    case 'replayed':
      return { do: 'renumber', lastSequence: problem.lastSequence, why }
    case 'stale-signature':
      return decideStale(answer, context, why)
    case 'unsigned':
    case 'bad-signature':
      return context.hasToken ? { do: 'enroll', why } : refused(answer, context, why)
    case 'revoked-key':
    case 'pending-approval':
    case 'wrong-host':
    case 'enrollment-refused':
    case 'misdirected':
      return refused(answer, context, why)
    default:
      return unavailable(answer, context, why)
  }
}

function decideStale(answer: Answer, context: AnswerContext, why: string): Action {
  const serverTimeMs = Date.parse(answer.date ?? '')
  if (!Number.isNaN(serverTimeMs) && context.trusted) return { do: 'correct-clock', serverTimeMs, why }
  const reason = context.trusted ? 'the answer has no date' : 'a date without TLS is not believed'
  return refused(answer, context, `${why} (this machine's clock is not corrected: ${reason})`)
}

function readInterval(reply: Record<string, unknown> | null): number | null {
  const secs = reply?.['heartbeat_interval_secs']
  const { minimum, maximum } = HEARTBEAT_INTERVAL_SECS
  return typeof secs === 'number' && Number.isInteger(secs) && secs >= minimum && secs <= maximum
    ? secs
    : null
}

function refused(answer: Answer, context: AnswerContext, why: string): Wait {
  return { do: 'wait', because: 'refused', retryAfterMs: readRetryAfter(answer, context.nowMs), why }
}

function unavailable(answer: Answer, context: AnswerContext, why: string): Wait {
  return { do: 'wait', because: 'unavailable', retryAfterMs: readRetryAfter(answer, context.nowMs), why }
}

/**
 * `Retry-After` as seconds or an HTTP date (RFC 9110, 10.2.3), at most an hour; 0 when absent or unreadable. A date
 * counts from the answer's own `Date`, as this machine's clock may be wrong.
 */
function readRetryAfter({ retryAfter, date }: Answer, nowMs: number): number {
  if (retryAfter === undefined) return 0
  if (/^\d+$/.test(retryAfter)) return Math.min(Number(retryAfter) * 1000, MAX_RETRY_AFTER_MS)
  const sentMs = Date.parse(date ?? '')
  const waitMs = Date.parse(retryAfter) - (Number.isNaN(sentMs) ? nowMs : sentMs)
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS)
}
