import { type Agent, request, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import type { Fingerprint, SystemState } from '../../src/protocol/facts.ts'
import { encodeBase64, generateSeed, type PrivateKey, privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { createFingerprint, createHeartbeat, createStateReport, createSystemState } from './messages.ts'
import type { TestServer } from './test-server.ts'

export interface TestAgent {
  hostname: string
  key: PrivateKey
  /** base64, as it is registered. */
  publicKey: string
  /** What the next messages carry; change it as the host would change. */
  state: { fingerprint: Fingerprint; system: SystemState | null }
  /** Ids of the last report made, and of the last one accepted. */
  previous: string | null
  reported: string | null
  bootId: string
  /** `members` replace what the agent would send. */
  heartbeat: (members?: object, options?: SendOptions) => Promise<AgentReply>
  report: (members?: object, options?: SendOptions) => Promise<AgentReply>
  enroll: (token: string, members?: object, options?: SendOptions) => Promise<AgentReply>
  /** Any body to any path: an object as JSON, a string or bytes as they are. */
  send: (path: string, body: object | string | Buffer, options?: SendOptions) => Promise<AgentReply>
}

export interface SendOptions {
  method?: string
  key?: PrivateKey
  createdSecs?: number
  /** What is signed instead of the server's own. */
  authority?: string
  /** What is sent instead of the body that was signed. */
  sentBody?: string | Buffer
  /** Kept for further requests; default: a connection each. */
  connections?: Agent
  /** Added to the signed headers or replacing them; undefined leaves one out, an array sends it several times. */
  headers?: Record<string, string | string[] | undefined>
}

export interface AgentReply {
  status: number
  headers: IncomingHttpHeaders
  /** The JSON answer; null when it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
  text: string
  /** The bytes that were sent. */
  sent: Buffer
}

export const newKey = (): PrivateKey => privateKeyFromSeed(generateSeed())

/** A client that signs as an agent does, with a key the server does not know yet. */
export function createTestAgent(
  server: Pick<TestServer, 'url' | 'authority'>,
  options: { hostname?: string; key?: PrivateKey } = {},
): TestAgent {
  const { hostname = 'web1', key = newKey() } = options
  const sequences = { heartbeat: Date.now(), state: Date.now() }
  const publicKey = encodeBase64(key.publicKey)

  const send: TestAgent['send'] = async (path, body, given = {}) => {
    const bytes =
      typeof body === 'string' || Buffer.isBuffer(body)
        ? Buffer.from(body)
        : Buffer.from(JSON.stringify(body))
    return sendSigned(server, path, bytes, { key, ...given })
  }

  const agent: TestAgent = {
    hostname,
    key,
    publicKey,
    state: { fingerprint: createFingerprint(), system: createSystemState() },
    previous: null,
    reported: null,
    bootId: crypto.randomUUID(),
    send,
    heartbeat: (members = {}, given) =>
      send(
        '/agent/heartbeat',
        {
          ...createHeartbeat({
            sequence: (sequences.heartbeat += 1),
            boot_id: agent.bootId,
            current_system: agent.state.system?.current ?? null,
            state_digest: stateDigest(agent.state),
            reported: agent.reported,
          }),
          ...members,
        },
        given,
      ),
    report: async (members = {}, given) => {
      const report = createStateReport({
        sequence: (sequences.state += 1),
        observed_at: new Date().toISOString(),
        previous: agent.previous,
        boot_id: agent.bootId,
        ...agent.state,
      })
      const reply = await send('/agent/state', { ...report, ...members }, given)
      agent.previous = sha256Id(reply.sent)
      if (reply.status === 200) agent.reported = agent.previous
      return reply
    },
    enroll: (token, members = {}, given) =>
      send('/agent/enroll', { version: 1, token, hostname, public_key: publicKey, ...members }, given),
  }
  agent.state.fingerprint.software.hostname = hostname
  return agent
}

/** The same, with its system and key registered over the API. */
export async function registerTestAgent(
  server: Pick<TestServer, 'url' | 'authority' | 'api'>,
  options: { hostname?: string; key?: PrivateKey; environment?: string } = {},
): Promise<TestAgent> {
  const agent = createTestAgent(server, options)
  const { environment } = options
  const reply = await server.api('POST', '/systems', {
    body: {
      hostname: agent.hostname,
      public_keys: [agent.publicKey],
      ...(environment !== undefined && { environment }),
    },
  })
  if (reply.status !== 201)
    throw new Error(`cannot register ${agent.hostname}: ${JSON.stringify(reply.body)}`)
  return agent
}

async function sendSigned(
  server: Pick<TestServer, 'url' | 'authority'>,
  path: string,
  body: Buffer,
  options: SendOptions & { key: PrivateKey },
): Promise<AgentReply> {
  const { method = 'POST', key, createdSecs = Math.floor(Date.now() / 1000) } = options
  const sent = options.sentBody === undefined ? body : Buffer.from(options.sentBody)
  const signed = signRequest({
    method,
    authority: options.authority ?? server.authority,
    path,
    body,
    key,
    createdSecs,
  })
  const headers: Record<string, string | string[] | undefined> = {
    host: server.authority,
    'content-type': 'application/json',
    'content-length': String(sent.length),
    ...signed,
    ...options.headers,
  }
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => (each === undefined ? [] : [name, each])),
  )
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${server.url}${path}`,
      { method, headers: rawHeaders, setHost: false, agent: options.connections ?? false },
      (response) => {
        text(response).then(
          (answer) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: parseOrNull(answer),
              text: answer,
              sent,
            }),
          reject,
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

function parseOrNull(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return null
  }
}
