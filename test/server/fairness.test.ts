import { Agent } from 'node:http'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { sha256Id } from '../../src/protocol/digests.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { createStateReport } from '../support/messages.ts'
import { openRaw } from '../support/raw-http.ts'
import {
  type AgentReply,
  registerTestAgent,
  type SendOptions,
  type TestAgent,
} from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'

async function startServer(logged: string[] = []): Promise<TestServer> {
  // little room, so that one host alone could fill it
  const log = createLogger({ level: 'warn', destination: { write: (line: string) => logged.push(line) } })
  const now = Date.now()
  const server = await startTestServer({ batches: { maxWaiting: 200 }, log, clock: () => now })
  onTestFinished(server.stop)
  return server
}

function connect(maxSockets: number): { connections: Agent } {
  const connections = new Agent({ keepAlive: true, maxSockets })
  onTestFinished(() => connections.destroy())
  return { connections }
}

/** Sends without end over so many connections, until `stop` is called and `least` requests were sent. */
function flood(least: number, maxSockets: number, send: (options: SendOptions) => Promise<AgentReply>) {
  const options = connect(maxSockets)
  const replies: AgentReply[] = []
  const stopping = new AbortController()
  let sent = 0
  const sendOn = async (): Promise<void> => {
    while (sent < least || !stopping.signal.aborted) {
      sent += 1
      replies.push(await send(options))
    }
  }
  const over = Promise.all(Array.from({ length: maxSockets }, sendOn))
  return {
    replies,
    stop: () => {
      stopping.abort()
      return over
    },
  }
}

const sequenceOf = ({ sent }: AgentReply): number => JSON.parse(sent.toString()).sequence

const isReport = ({ body }: AgentReply): boolean => body.accepted !== undefined

/** That everything acknowledged is stored. */
async function expectStored({ database: { db } }: TestServer, of: TestAgent, replies: AgentReply[]) {
  const acknowledged = replies.filter(({ status }) => status === 200)
  const { heartbeat_sequence: last } = await db
    .selectFrom('keys')
    .select('heartbeat_sequence')
    .where('id', '=', of.key.id)
    .executeTakeFirstOrThrow()
  for (const reply of acknowledged.filter((each) => !isReport(each)))
    expect(last).toBeGreaterThanOrEqual(sequenceOf(reply))
  const { rows } = await sql<{ id: string }>`select 'sha256:' || encode(id, 'hex') as id from reports
    where key_id = ${of.key.id}`.execute(db)
  const stored = rows.map(({ id }) => id)
  expect(stored).toEqual(
    expect.arrayContaining(acknowledged.filter(isReport).map(({ sent }) => sha256Id(sent))),
  )
}

/** Sends the head of a report and none of its body. */
function begin(server: TestServer, of: TestAgent) {
  const body = Buffer.from(JSON.stringify(createStateReport({ sequence: Date.now() })))
  const { authority } = server
  const createdSecs = Math.floor(Date.now() / 1000)
  const signed = signRequest({
    method: 'POST',
    authority,
    path: '/agent/state',
    body,
    key: of.key,
    createdSecs,
  })
  const headers = {
    host: authority,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...signed,
  }
  const raw = openRaw(server.url)
  onTestFinished(() => void raw.socket.destroy())
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  raw.socket.write(`POST /agent/state HTTP/1.1\r\n${lines.join('')}\r\n`)
  return { ...raw, body }
}

describe('a host that sends without end', () => {
  test(
    'is told to slow down, and all others are served as if it were not there',
    { timeout: 600_000 },
    async () => {
      const logged: string[] = []
      const server = await startServer(logged)
      const { db } = server.database
      const flooder = await registerTestAgent(server, { hostname: 'flooder' })
      const others = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => ({
          agent: await registerTestAgent(server, { hostname: `host${index}` }),
          options: connect(1),
          replies: [] as AgentReply[],
        })),
      )
      // they have connections by then, as agents have
      for (const { agent, options, replies } of others) replies.push(await agent.report({}, options))

      const floods = await db.transaction().execute(async (transaction) => {
        // what is under way stands still until the first is refused
        await sql`select from contacts where system_id = (select id from systems where hostname = 'flooder')
        for update`.execute(transaction)
        const started = [
          flood(200, 10, (options) => flooder.report({}, options)),
          flood(2000, 50, (options) => flooder.heartbeat({}, options)),
        ]
        for (const { replies } of started)
          await waitFor(() => replies.length > 0, { what: 'a refusal', timeoutMs: 120_000 })
        return started
      })
      await Promise.all(
        others.map(async ({ agent, options, replies }) => {
          for (let round = 0; round < 3; round += 1)
            replies.push(await agent.heartbeat({}, options), await agent.report({}, options))
        }),
      )
      await Promise.all(floods.map(({ stop }) => stop()))

      for (const { agent, replies } of others) {
        expect(replies.filter(({ status }) => status !== 200)).toEqual([])
        await expectStored(server, agent, replies)
      }
      for (const { replies } of floods) {
        const statuses = new Set(replies.map(({ status }) => status))
        expect([...statuses]).toEqual(expect.arrayContaining([200, 429]))
        // another connection was faster with a later sequence
        statuses.delete(409)
        expect(statuses.size).toBe(2)
        for (const { headers, body } of replies.filter(({ status }) => status === 429))
          expect([body.type, headers['retry-after']]).toEqual(['urn:crystal-forge:problem:slow-down', '2'])
        await expectStored(server, flooder, replies)
      }
      // once a minute, and none passes
      const named = logged.filter((line) => line.includes('more at once'))
      expect(named).toHaveLength(1)
      expect(JSON.parse(named[0] ?? '')).toMatchObject({ keyId: flooder.key.id, address: '127.0.0.1' })
    },
  )
})

describe('reports', () => {
  test('beyond four of one system at once are refused before their bodies are read', async () => {
    const server = await startServer()
    const agent = await registerTestAgent(server)
    const other = await registerTestAgent(server, { hostname: 'other' })
    const begun = Array.from({ length: 5 }, () => begin(server, agent))
    const refused = await Promise.race(begun.map(async ({ answer }) => answer()))
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '2' },
      body: { type: 'urn:crystal-forge:problem:slow-down' },
    })
    expect((await other.report()).status).toBe(200)
    expect((await agent.heartbeat()).status).toBe(200)
  })

  test('that are cut off make room for others', async () => {
    const server = await startServer()
    const agent = await registerTestAgent(server)
    for (let round = 0; round < 3; round += 1) {
      const begun = Array.from({ length: 5 }, () => begin(server, agent))
      await Promise.race(begun.map(async ({ answer }) => answer()))
      for (const { socket, body } of begun) socket.write(body.subarray(0, 10), () => socket.destroy())
      await waitFor(async () => (await agent.report()).status === 200, { what: 'room for a report' })
    }
  })
})
