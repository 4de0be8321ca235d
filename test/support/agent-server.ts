import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { keyId, parsePublicKey } from '../../src/protocol/keys.ts'
import type { Enrollment, Heartbeat, StateReport } from '../../src/protocol/messages.ts'
import { parseEnrollment, parseHeartbeat, parseStateReport } from '../../src/protocol/parse.ts'
import { Problem, PROBLEM_MEDIA_TYPE, type ProblemName } from '../../src/protocol/problems.ts'
import { checkContentDigest, checkFreshness, readSignedRequest } from '../../src/protocol/verify.ts'

export interface Reply {
  status: number
  headers?: Record<string, string>
  body: string
}

/** What a request is answered with instead: `reset` breaks the connection, `hang` says nothing. */
export type Answer = Reply | 'reset' | 'hang'
export type Endpoint = 'heartbeat' | 'state' | 'enroll'

export interface Received<T> {
  message: T
  body: Buffer
  createdSecs: number
  atMs: number
}

export interface AgentServer {
  url: URL
  /** Requests whose signature was valid, in order, whatever they were answered with. */
  heartbeats: Received<Heartbeat>[]
  reports: Received<StateReport>[]
  enrollments: Received<Enrollment>[]
  /** All requests, also those without a valid signature. */
  requests: { endpoint: string; socket: number }[]
  /** Answers the next request to an endpoint otherwise than the rules of protocol.md say. */
  answerNext: (endpoint: Endpoint, ...answers: Answer[]) => void
  /** Answers all of them so, until called with null. */
  answerAlways: (endpoint: Endpoint, answer: Answer | null) => void
  register: (publicKey: Buffer) => void
  /** What its answers to heartbeats carry. */
  heartbeatIntervalSecs: number | null
  token: string | null
  /** Id of the last report it took. */
  accepted: () => string | undefined
  /** Forgets every report, as a restored database does. */
  forget: () => void
  stop: () => Promise<void>
}

export interface AgentServerOptions {
  port?: number
  clock?: Clock
  tls?: { cert: string; key: string }
}

export function problemReply(
  problem: ProblemName,
  options: { headers?: Record<string, string>; lastSequence?: number } = {},
): Reply {
  const members = options.lastSequence === undefined ? {} : { last_sequence: options.lastSequence }
  const document = new Problem(problem, `a scripted ${problem}`, { members }).toDocument()
  return {
    status: document.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE, ...options.headers },
    body: JSON.stringify(document),
  }
}

/**
 * A server for agents on a port of its own: it verifies as the real one does, keeps everything in memory, and can be
 * told to answer otherwise.
 */
export async function createAgentServer(options: AgentServerOptions = {}): Promise<AgentServer> {
  const { clock = systemClock, tls } = options
  const keys = new Map<string, Buffer>()
  const scripted = new Map<Endpoint, Answer[]>()
  const always = new Map<Endpoint, Answer>()
  const last = { heartbeat: 0, state: 0 }
  let stored: { id: string; digest: string }[] = []
  const sockets = new WeakMap<object, number>()
  let socketCount = 0

  const handle = (request: IncomingMessage, body: Buffer): Answer => {
    const path = request.url ?? ''
    const header = (name: string): string | undefined => {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    }
    const signed = readSignedRequest({
      method: request.method ?? '',
      authority: header('host'),
      path,
      contentDigest: header('content-digest'),
      signatureInput: header('signature-input'),
      signature: header('signature'),
    })
    checkFreshness(signed, clock())
    checkContentDigest(signed.covered.contentDigest, body)
    const received = { body, createdSecs: signed.createdSecs, atMs: Date.now() }
    const check = (publicKey: Buffer | undefined): void => {
      if (publicKey === undefined || !verifyWithNode(publicKey, signed.base, signed.signatureBytes)) {
        throw new Problem('bad-signature', 'no active key made this signature')
      }
    }
    if (path === '/agent/enroll') {
      const { value } = parseEnrollment(body)
      const publicKey = parsePublicKey(value.public_key)
      check(publicKey)
      server.enrollments.push({ ...received, message: value })
      return scriptedAnswer('enroll') ?? enroll(value, publicKey)
    }
    if (header('content-type') !== 'application/json') throw new Problem('unsupported', 'not JSON')
    const publicKey = keys.get(signed.keyId)
    check(publicKey)
    if (path === '/agent/heartbeat') {
      const { value } = parseHeartbeat(body)
      server.heartbeats.push({ ...received, message: value })
      return scriptedAnswer('heartbeat') ?? heartbeat(value)
    }
    if (path === '/agent/state') {
      const { value } = parseStateReport(body)
      server.reports.push({ ...received, message: value })
      return scriptedAnswer('state') ?? state(value, body)
    }
    throw new Problem('not-found', path)
  }

  const scriptedAnswer = (endpoint: Endpoint): Answer | undefined =>
    scripted.get(endpoint)?.shift() ?? always.get(endpoint)

  const heartbeat = (message: Heartbeat): Reply => {
    takeSequence('heartbeat', message.sequence)
    const known = stored.at(-1)?.digest === message.state_digest
    const interval = server.heartbeatIntervalSecs
    return json(200, {
      state: known ? 'known' : 'wanted',
      ...(interval === null ? {} : { heartbeat_interval_secs: interval }),
    })
  }

  const state = (message: StateReport, body: Buffer): Reply => {
    const id = sha256Id(body)
    if (message.sequence <= last.state && stored.some((report) => report.id === id)) {
      return json(200, { accepted: id, duplicate: true })
    }
    takeSequence('state', message.sequence)
    stored.push({ id, digest: stateDigest(message) })
    return json(200, { accepted: id, duplicate: false })
  }

  const takeSequence = (endpoint: 'heartbeat' | 'state', sequence: number): void => {
    if (sequence <= last[endpoint]) {
      throw new Problem('replayed', 'seen before', { members: { last_sequence: last[endpoint] } })
    }
    last[endpoint] = sequence
  }

  const enroll = (message: Enrollment, publicKey: Buffer): Reply => {
    if (message.token !== server.token) throw new Problem('enrollment-refused', 'no such token')
    keys.set(keyId(publicKey), publicKey)
    return json(201, { system: message.hostname, key_id: keyId(publicKey), status: 'active' })
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (!sockets.has(request.socket)) sockets.set(request.socket, (socketCount += 1))
      server.requests.push({ endpoint: request.url ?? '', socket: sockets.get(request.socket) ?? 0 })
      let answer: Answer
      try {
        answer = handle(request, Buffer.concat(chunks))
      } catch (error) {
        answer = toReply(error)
      }
      if (answer === 'reset') request.socket.destroy()
      if (typeof answer === 'string') return
      response.writeHead(answer.status, { date: new Date(clock()).toUTCString(), ...answer.headers })
      response.end(answer.body)
    })
  }

  const http = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  http.listen(options.port ?? 0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  let stopped: Promise<void> | undefined

  const server: AgentServer = {
    url: new URL(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`),
    heartbeats: [],
    reports: [],
    enrollments: [],
    requests: [],
    answerNext: (endpoint, ...answers) => {
      scripted.set(endpoint, [...(scripted.get(endpoint) ?? []), ...answers])
    },
    answerAlways: (endpoint, answer) => {
      if (answer === null) always.delete(endpoint)
      else always.set(endpoint, answer)
    },
    register: (publicKey) => void keys.set(keyId(publicKey), publicKey),
    heartbeatIntervalSecs: null,
    token: null,
    accepted: () => stored.at(-1)?.id,
    forget: () => {
      stored = []
    },
    stop: () =>
      (stopped ??= (async () => {
        http.close()
        http.closeAllConnections()
        await once(http, 'close')
      })()),
  }
  return server
}

function json(status: number, document: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) }
}

function toReply(error: unknown): Reply {
  if (!(error instanceof Problem)) throw error
  const document = error.toDocument()
  return {
    status: document.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE },
    body: JSON.stringify(document),
  }
}
