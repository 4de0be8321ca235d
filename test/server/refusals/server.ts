import type { Socket } from 'node:net'
import { sql } from 'kysely'
import { createDatabaseProxy } from '../../support/database-proxy.ts'
import { openRaw } from '../../support/raw-http.ts'
import type { ConnectionOptions } from '../../../src/store/database.ts'
import { createTestAgent, newKey, registerTestAgent } from '../../support/test-agent.ts'
import { waitFor } from '../../support/wait.ts'
import { createPush } from '../webhooks/payloads.ts'
import { announce, gitlabSigned, post, SECRET, webhookSecrets } from '../webhooks/support.ts'
import { type Given, refusal, type Refusal } from './refusal.ts'

/** Failed authentications an address may have in a minute (protocol.md). */
const FAILURES = 120
const PROXY = '127.0.0.1/32'

/** Sends failing requests from an address, through a proxy that is trusted, until they are slowed down. */
async function failFrom({ agent }: Given, address: string): Promise<void> {
  for (let failure = 0; failure < FAILURES; failure += 1) {
    const reply = await agent.heartbeat({}, { key: newKey(), headers: { 'x-forwarded-for': address } })
    if (reply.status !== 401) throw new Error(`failure ${failure} was answered with ${reply.text}`)
  }
}

const slowDown = (when: string, request: (given: Given) => ReturnType<Given['agent']['send']>): Refusal => ({
  problem: 'slow-down',
  when,
  options: { settings: { trustedProxies: [PROXY] } },
  arrange: async (given) => {
    await failFrom(given, '192.0.2.9')
    return () => request(given)
  },
  retryAfter: true,
})
const fromThere = { 'x-forwarded-for': '192.0.2.9', 'x-forwarded-proto': 'https' }

const away = (when: string, request: (given: Given) => ReturnType<Refusal['arrange']>): Refusal => {
  let proxy: Awaited<ReturnType<typeof createDatabaseProxy>> | undefined
  return {
    problem: 'unavailable',
    when,
    retryAfter: true,
    get options() {
      return {
        connection: (direct: ConnectionOptions) => {
          if (proxy === undefined) throw new Error('arranged in the wrong order')
          return proxy.through(direct)
        },
      }
    },
    before: async () => {
      proxy = await createDatabaseProxy()
    },
    arrange: async (given) => {
      const send = await request(given)
      await proxy?.cut()
      return send
    },
    after: async () => proxy?.stop(),
  }
}

const withWebhooks = { settings: { webhookSecrets: webhookSecrets([SECRET]) } }

/** What is wrong with the server or its load, and what the API refuses. */
export const serverRefusals: Refusal[] = [
  refusal('misdirected', 'the Host is not of this server', ({ agent }) => agent.heartbeat(), {
    options: { settings: { publicUrl: 'https://forge.example.org', authorities: ['forge.internal:3000'] } },
  }),
  refusal('misdirected', 'an enrolment goes to another server', ({ agent }) => agent.enroll('cfe_x'), {
    options: { settings: { authorities: ['forge.internal:3000'] } },
  }),
  slowDown('one address failed 120 times in a minute', ({ agent }) =>
    agent.heartbeat({}, { key: newKey(), headers: fromThere }),
  ),
  slowDown('one address failed 120 times in a minute, and now without a signature', ({ agent }) =>
    agent.heartbeat({}, { headers: { ...fromThere, signature: undefined } }),
  ),
  slowDown('one address failed 120 times in a minute, and now guesses tokens', ({ server }) =>
    createTestAgent(server, { hostname: 'guess' }).enroll('cfe_guess', {}, { headers: fromThere }),
  ),
  away(
    'the database is away: heartbeat',
    async ({ agent }) =>
      () =>
        agent.heartbeat(),
  ),
  away(
    'the database is away: report',
    async ({ agent }) =>
      () =>
        agent.report(),
  ),
  away(
    'the database is away: a key that is not cached',
    async ({ agent }) =>
      () =>
        agent.heartbeat({}, { key: newKey() }),
  ),
  away(
    'the database is away: API',
    async ({ server }) =>
      () =>
        server.api('GET', '/systems'),
  ),
  away('the database is away: readiness', async ({ server }) => async () => {
    const response = await fetch(`${server.url}/health/ready`)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }),
  {
    problem: 'unavailable',
    when: 'the server is stopping, on a connection that is open already',
    options: {},
    retryAfter: true,
    arrange: async ({ server }) => {
      const accepted = new Promise<Socket>((resolve) => server.http.server.once('connection', resolve))
      const { socket, answer } = openRaw(server.url)
      const get = `GET /health/live HTTP/1.1\r\nHost: ${server.authority}\r\n`
      socket.write(`${get}\r\n`)
      await answer()
      // half of a head keeps the connection from counting as idle while the server stops
      socket.write(get)
      const peer = await accepted
      await waitFor(() => peer.bytesRead === 2 * get.length + 2, { what: 'the half of a head' })
      void server.http.close()
      return async () => {
        socket.write('\r\n')
        return answer()
      }
    },
  },
  {
    problem: 'internal',
    when: 'a statement fails for a reason nobody thought of: heartbeat',
    options: {},
    arrange: async ({ agent, server }) => {
      await sql`alter table flags rename to flags_away`.execute(server.database.db)
      return () => agent.heartbeat()
    },
  },
  {
    problem: 'internal',
    when: 'a statement fails for a reason nobody thought of: report',
    options: {},
    arrange: async ({ agent, server }) => {
      await sql`alter table flags rename to flags_away`.execute(server.database.db)
      return () => agent.report()
    },
  },
  refusal('not-found', 'there is no such path', ({ agent }) => agent.send('/agent/nothing', {})),
  refusal('not-found', 'the method is another', ({ agent }) =>
    agent.send('/agent/heartbeat', {}, { method: 'PUT' }),
  ),
  refusal('not-found', 'version 0 is not served', ({ agent }) => agent.send('/system_state', {})),
  refusal('not-found', 'there is no such system', ({ server }) => server.api('GET', '/systems/nobody')),
  refusal('unauthenticated', 'the API is asked without a token', ({ server }) =>
    server.api('GET', '/systems', { token: null }),
  ),
  refusal('unauthenticated', 'the API is asked with a token nobody made', ({ server }) =>
    server.api('GET', '/systems', { token: 'cfa_unknown' }),
  ),
  {
    problem: 'forbidden',
    when: 'a viewer changes something',
    arrange: async ({ server }) => {
      const token = await server.createToken('viewer')
      return () => server.api('POST', '/systems', { token, body: { hostname: 'by-a-viewer' } })
    },
  },
  {
    problem: 'read-only',
    when: 'what a configuration declares is changed over the API',
    arrange: async (given) => {
      const { hostname } = await registerTestAgent(given.server, { hostname: 'declared' })
      await sql`update systems set declared = true where hostname = ${hostname}`.execute(
        given.server.database.db,
      )
      return () => given.server.api('PUT', `/systems/${hostname}/archived`)
    },
  },
  refusal('forbidden', 'a webhook comes, and no secret is configured', ({ server }) =>
    announce(server, 'github', createPush()),
  ),
  refusal(
    'bad-signature',
    'a webhook is signed with another secret',
    ({ server }) => announce(server, 'github', createPush(), { secret: 'another' }),
    { options: withWebhooks },
  ),
  refusal(
    'unsigned',
    'a webhook is not signed',
    ({ server }) => post(server, '/webhook/github', { 'X-GitHub-Event': 'push' }, '{}'),
    { options: withWebhooks },
  ),
  refusal(
    'stale-signature',
    'a webhook was signed long ago',
    ({ server }) => post(server, '/webhook/gitlab', gitlabSigned(SECRET, '{}', { createdSecs: 1 }), '{}'),
    { options: withWebhooks },
  ),
  refusal('conflict', 'a system is registered twice', ({ server, agent }) =>
    server.api('POST', '/systems', { body: { hostname: agent.hostname } }),
  ),
]
