import { Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { createFingerprint, createHeartbeat, createStateReport } from '../support/messages.ts'
import { openRaw } from '../support/raw-http.ts'
import { createStoreView } from '../support/store-view.ts'
import { registerTestAgent, type TestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'

async function startServer(): Promise<TestServer> {
  const server = await startTestServer()
  onTestFinished(server.stop)
  return server
}

/** Sends over a connection that is kept. The status, or what became of the connection. */
async function post(server: TestServer, of: TestAgent, connections: Agent, path: string, document: object) {
  const body = Buffer.from(JSON.stringify(document))
  const signed = signRequest({
    method: 'POST',
    authority: server.authority,
    path,
    body,
    key: of.key,
    createdSecs: Math.floor(Date.now() / 1000),
  })
  return new Promise<{ status: number | string; retryAfter: string | undefined }>((resolve) => {
    const outgoing = request(
      `${server.url}${path}`,
      { method: 'POST', agent: connections, headers: { ...signed, 'content-type': 'application/json' } },
      (response) => {
        const { statusCode = 0, headers } = response
        text(response).then(
          () => resolve({ status: statusCode, retryAfter: headers['retry-after'] }),
          () => resolve({ status: 'cut off', retryAfter: undefined }),
        )
      },
    )
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ status: error.code ?? error.message, retryAfter: undefined }),
    )
    outgoing.end(body)
  })
}

interface Acknowledged {
  heartbeat: number
  reports: string[]
}

/** Talks as an agent without pauses, until the server is gone; returns what was acknowledged, and every answer. */
async function talk(server: TestServer, of: TestAgent) {
  const connections = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => connections.destroy())
  const acknowledged: Acknowledged = { heartbeat: 0, reports: [] }
  const answers = new Set<string>()
  const fingerprint = createFingerprint()
  fingerprint.software.hostname = of.hostname
  for (let sequence = Date.now(); !answers.has('ECONNREFUSED'); sequence += 1) {
    const isReport = sequence % 3 === 0
    const document = isReport
      ? createStateReport({ sequence, fingerprint })
      : createHeartbeat({ sequence, state_digest: stateDigest({ fingerprint, system: null }) })
    const path = isReport ? '/agent/state' : '/agent/heartbeat'
    const { status, retryAfter } = await post(server, of, connections, path, document)
    answers.add(String(status))
    if (status === 503) expect(retryAfter).toBe('1')
    if (status !== 200) continue
    if (isReport) acknowledged.reports.push(sha256Id(JSON.stringify(document)))
    else acknowledged.heartbeat = sequence
  }
  return { acknowledged, answers }
}

describe('a server that stops', () => {
  test('under load loses nothing that it acknowledged, and refuses the rest as unavailable', async () => {
    const server = await startServer()
    const { db } = server.database
    const agents: TestAgent[] = []
    for (let index = 0; index < 12; index += 1)
      agents.push(await registerTestAgent(server, { hostname: `host${index}` }))
    const talks = agents.map((each) => talk(server, each))
    await waitFor(async () => {
      const { rows } = await sql<{ reports: number }>`select count(*) as reports from reports`.execute(db)
      return (rows[0]?.reports ?? 0) > 40
    })
    await server.http.close()

    for (const [index, { acknowledged, answers }] of (await Promise.all(talks)).entries()) {
      const key = agents[index]?.key.id ?? ''
      const { heartbeat_sequence: heartbeat } = await db
        .selectFrom('keys')
        .select('heartbeat_sequence')
        .where('id', '=', key)
        .executeTakeFirstOrThrow()
      expect(heartbeat).toBeGreaterThanOrEqual(acknowledged.heartbeat)
      const { rows } = await sql<{ id: string }>`select 'sha256:' || encode(id, 'hex') as id from reports
        where key_id = ${key}`.execute(db)
      const stored = new Set(rows.map(({ id }) => id))
      expect(acknowledged.reports.length).toBeGreaterThan(0)
      expect(acknowledged.reports.filter((id) => !stored.has(id))).toEqual([])
      // a connection may be closed under a request that was just sent on it; nothing else is ever answered
      for (const answer of answers)
        expect(['200', '503', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED']).toContain(answer)
    }
  })

  test('finishes what is under way, and closes its connection then', async () => {
    const server = await startServer()
    const view = createStoreView(server.database.db)
    const agent = await registerTestAgent(server)
    const connections = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => connections.destroy())
    const heartbeat = (sequence: number) =>
      post(server, agent, connections, '/agent/heartbeat', createHeartbeat({ sequence }))
    expect(await heartbeat(1)).toMatchObject({ status: 200 })

    const { answered, closed } = await server.database.db.transaction().execute(async (transaction) => {
      await sql`select from contacts for update`.execute(transaction)
      const waiting = heartbeat(2)
      await view.untilBlocked(1)
      return { answered: waiting, closed: server.http.close() }
    })
    expect(await answered).toMatchObject({ status: 200 })
    await closed
    expect(await heartbeat(3)).toMatchObject({ status: 'ECONNREFUSED' })
  })

  test('finishes also what nobody waits for any more, before the database is closed', async () => {
    const server = await startServer()
    const view = createStoreView(server.database.db)
    const agent = await registerTestAgent(server)
    const connections = new Agent()
    let isClosed = false
    const { closed } = await server.database.db.transaction().execute(async (transaction) => {
      await sql`select from contacts for update`.execute(transaction)
      const cutOff = post(server, agent, connections, '/agent/heartbeat', createHeartbeat({ sequence: 7 }))
      await view.untilBlocked(1)
      connections.destroy()
      expect(await cutOff).toMatchObject({ status: 'ECONNRESET' })
      const closing = server.http.close().then(() => {
        isClosed = true
        return isClosed
      })
      await waitFor(async () => {
        const answer = await fetch(server.url).then(
          () => 'listens',
          () => 'is gone',
        )
        return answer === 'is gone'
      })
      // a close that waited for nothing would be over by now
      for (let turn = 0; turn < 50; turn += 1) await sql`select 1`.execute(transaction)
      expect(isClosed).toBe(false)
      return { closed: closing }
    })
    await closed
    expect((await view.keys({ systemId: 1 }))[0]).toMatchObject({ heartbeat_sequence: 7 })
  })

  test('closes the connections that are idle', async () => {
    const server = await startServer()
    const { socket, answer } = openRaw(server.url)
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.write(`GET /health/live HTTP/1.1\r\nHost: ${server.authority}\r\n\r\n`)
    expect((await answer())?.status).toBe(200)
    await server.http.close()
    await ended
  })

  test('tells a client on an open connection to come again, and closes that connection too', async () => {
    const server = await startServer()
    const accepted = new Promise<Socket>((resolve) => server.http.server.once('connection', resolve))
    const { socket, answer } = openRaw(server.url)
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const half = `GET /health/live HTTP/1.1\r\nHost: ${server.authority}\r\n`
    socket.write(half)
    const peer = await accepted
    await waitFor(() => peer.bytesRead === half.length)
    const closed = server.http.close()
    socket.write('\r\n')
    expect(await answer()).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
      body: { type: 'urn:crystal-forge:problem:unavailable' },
    })
    await ended
    await closed
  })
})
