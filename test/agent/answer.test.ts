import { describe, expect, test } from 'vitest'
import { decide, type Action, type AnswerContext, type Request } from '../../src/agent/answer.ts'
import type { Answer } from '../../src/agent/transport.ts'
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEM_PREFIX,
  PROBLEMS,
  type ProblemName,
} from '../../src/protocol/problems.ts'

const ID = `sha256:${'a'.repeat(64)}`
const NOW = Date.UTC(2026, 10, 23, 12)
const heartbeat: Request = { endpoint: 'heartbeat' }
const state: Request = { endpoint: 'state', id: ID }
const enroll: Request = { endpoint: 'enroll' }

function answer(status: number, body: unknown, headers: Partial<Answer> = {}): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    status,
    contentType: 'application/json',
    retryAfter: undefined,
    date: new Date(NOW).toUTCString(),
    body: Buffer.from(text),
    ...headers,
  }
}

function problem(name: ProblemName, members: object = {}, headers: Partial<Answer> = {}): Answer {
  const { status, title } = PROBLEMS[name]
  const document = { type: PROBLEM_PREFIX + name, title, status, detail: 'why', ...members }
  return answer(status, document, { contentType: PROBLEM_MEDIA_TYPE, ...headers })
}

function decideFor(received: Answer, request: Request, context: Partial<AnswerContext> = {}): Action {
  return decide(received, { request, trusted: true, hasToken: false, nowMs: NOW, ...context })
}

const inSeconds = (secs: number): string => new Date(NOW + secs * 1000).toUTCString()

describe('the status table', () => {
  test.each<[string, Answer, Request, Partial<Action>]>([
    ['200 to a report', answer(200, { accepted: ID, duplicate: false }), state, { do: 'accept' }],
    ['200 duplicate', answer(200, { accepted: ID, duplicate: true }), state, { do: 'accept' }],
    ['200 known', answer(200, { state: 'known' }), heartbeat, { do: 'heartbeat-done', wanted: false }],
    ['200 wanted', answer(200, { state: 'wanted' }), heartbeat, { do: 'heartbeat-done', wanted: true }],
    ['malformed', problem('malformed'), state, { do: 'give-up', why: 'malformed: why' }],
    ['malformed', problem('malformed'), heartbeat, { do: 'give-up' }],
    ['unsigned', problem('unsigned'), state, { do: 'wait', because: 'refused' }],
    ['bad-signature', problem('bad-signature'), state, { do: 'wait', because: 'refused' }],
    ['stale-signature', problem('stale-signature'), state, { do: 'correct-clock', serverTimeMs: NOW }],
    ['revoked-key', problem('revoked-key'), state, { do: 'wait', because: 'refused' }],
    ['pending-approval', problem('pending-approval'), heartbeat, { do: 'wait', because: 'refused' }],
    ['wrong-host', problem('wrong-host'), state, { do: 'wait', because: 'refused' }],
    ['replayed', problem('replayed', { last_sequence: 7 }), state, { do: 'renumber', lastSequence: 7 }],
    ['replayed', problem('replayed', { last_sequence: 7 }), heartbeat, { do: 'renumber', lastSequence: 7 }],
    ['too-large', problem('too-large'), state, { do: 'give-up' }],
    ['unsupported', problem('unsupported'), state, { do: 'give-up' }],
    ['invalid', problem('invalid'), heartbeat, { do: 'give-up' }],
    ['misdirected', problem('misdirected'), state, { do: 'wait', because: 'refused' }],
    ['slow-down', problem('slow-down'), state, { do: 'wait', because: 'unavailable' }],
    ['unavailable', problem('unavailable'), heartbeat, { do: 'wait', because: 'unavailable' }],
    ['internal', problem('internal'), state, { do: 'wait', because: 'unavailable' }],
    ['not-found', problem('not-found'), state, { do: 'wait', because: 'unavailable' }],
    ['201 to an enrolment', answer(201, { status: 'active' }), enroll, { do: 'accept' }],
    ['202 to an enrolment', answer(202, { status: 'pending' }), enroll, { do: 'wait', because: 'refused' }],
    ['enrollment-refused', problem('enrollment-refused'), enroll, { do: 'wait', because: 'refused' }],
  ])('%s', (_name, received, request, action) => {
    expect(decideFor(received, request)).toMatchObject(action)
  })

  test.each(['unsigned', 'bad-signature'] as const)('%s with a token means to enrol', (name) => {
    expect(decideFor(problem(name), state, { hasToken: true })).toMatchObject({ do: 'enroll' })
    expect(decideFor(problem(name), heartbeat, { hasToken: true })).toMatchObject({ do: 'enroll' })
  })

  test.each(['revoked-key', 'pending-approval', 'stale-signature'] as const)(
    '%s does not spend a token',
    (name) => {
      expect(decideFor(problem(name), state, { hasToken: true }).do).not.toBe('enroll')
    },
  )
})

describe('what is not the answer of our server counts as unavailable', () => {
  const page = '<html>blocked</html>'
  test.each<[string, Answer, Request]>([
    ["a proxy's page with status 200", answer(200, page, { contentType: 'text/html' }), heartbeat],
    ["a proxy's page with status 200", answer(200, page, { contentType: 'text/html' }), state],
    ['the acceptance of another report', answer(200, { accepted: `${ID}0`, duplicate: false }), state],
    ['an empty body', answer(200, ''), state],
    ['a list', answer(200, []), heartbeat],
    ['another state', answer(200, { state: 'maybe' }), heartbeat],
    ['204', answer(204, ''), state],
    ['a redirect', answer(307, ''), state],
    ['a 400 of a proxy', answer(400, page, { contentType: 'text/html' }), state],
    ['a 400 in JSON', answer(400, { error: 'no' }), state],
    ['a 422 with our media type only', answer(422, {}, { contentType: PROBLEM_MEDIA_TYPE }), state],
    [
      "somebody else's problem type",
      answer(422, { type: 'about:blank', status: 422 }, { contentType: PROBLEM_MEDIA_TYPE }),
      state,
    ],
    ['our type under another media type', problem('invalid', {}, { contentType: 'application/json' }), state],
    ['our type with another status', problem('invalid', {}, { status: 502 }), state],
    ['a problem type of nobody', problem('invalid', { type: `${PROBLEM_PREFIX}toString` }), state],
    ['407', answer(407, page), heartbeat],
    ['401 of a proxy', answer(401, page), state],
    ['502', answer(502, page), heartbeat],
    ['200 to an enrolment without a status', answer(200, {}), enroll],
  ])('%s', (_name, received, request) => {
    expect(decideFor(received, request, { hasToken: true })).toMatchObject({
      do: 'wait',
      because: 'unavailable',
    })
  })

  test('a media type may have parameters and any case', () => {
    const received = problem('invalid', {}, { contentType: 'Application/Problem+JSON; charset=utf-8' })
    expect(decideFor(received, state)).toMatchObject({ do: 'give-up' })
  })
})

describe('last_sequence', () => {
  test.each([
    [0, 0],
    [1_795_434_334_123, 1_795_434_334_123],
    [Date.UTC(2101, 0, 1) - 1, Date.UTC(2101, 0, 1) - 1],
    [Date.UTC(2101, 0, 1), null],
    [Number.MAX_SAFE_INTEGER, null],
    [1e300, null],
    [-1, null],
    [1.5, null],
    ['7', null],
    [null, null],
    [undefined, null],
  ])('%j is believed as %j', (given, believed) => {
    const received = problem('replayed', { last_sequence: given })
    expect(decideFor(received, state)).toMatchObject({ do: 'renumber', lastSequence: believed })
  })
})

describe('the clock', () => {
  test("the server's date is not believed without TLS", () => {
    const action = decideFor(problem('stale-signature'), state, { trusted: false })
    expect(action).toMatchObject({ do: 'wait', because: 'refused', why: expect.stringContaining('TLS') })
  })

  test.each([undefined, 'soon'])('a date of %j corrects nothing', (date) => {
    const action = decideFor(problem('stale-signature', {}, { date }), state)
    expect(action).toMatchObject({ do: 'wait', because: 'refused' })
  })
})

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['99999999999999999999', 3_600_000],
    [inSeconds(120), 120_000],
    [inSeconds(86_400), 3_600_000],
    [inSeconds(-5), 0],
    ['later', 0],
    ['-5', 0],
    ['1.5', 0],
    ['', 0],
    [undefined, 0],
  ])('%j means %d ms', (retryAfter, ms) => {
    for (const received of [
      problem('unavailable', {}, { retryAfter }),
      problem('pending-approval', {}, { retryAfter }),
      answer(502, '', { retryAfter }),
    ]) {
      expect(decideFor(received, state)).toMatchObject({ do: 'wait', retryAfterMs: ms })
    }
  })

  test("a date counts from the answer's own date, whatever our clock says", () => {
    const received = problem('unavailable', {}, { retryAfter: inSeconds(60) })
    expect(decideFor(received, state, { nowMs: NOW - 86_400_000 })).toMatchObject({ retryAfterMs: 60_000 })
    const undated = problem('unavailable', {}, { retryAfter: inSeconds(60), date: undefined })
    expect(decideFor(undated, state, { nowMs: NOW + 20_000 })).toMatchObject({ retryAfterMs: 40_000 })
  })
})
