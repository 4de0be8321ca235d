import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PROBLEM_PREFIX, PROBLEMS } from '../../src/protocol/problems.ts'
import { databaseContent } from '../support/database-content.ts'
import { registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts'
import { agentRefusals, enrollmentRefusals } from './refusals/agent.ts'
import { httpRefusals } from './refusals/http.ts'
import type { Given, Refusal, Reply } from './refusals/refusal.ts'
import { serverRefusals } from './refusals/server.ts'

const ALL: Refusal[] = [...httpRefusals, ...agentRefusals, ...enrollmentRefusals, ...serverRefusals]

async function given(server: TestServer): Promise<Given> {
  const agent = await registerTestAgent(server, { hostname: 'web1' })
  const isMisdirected = (await agent.report()).status === 421
  if (!isMisdirected && agent.reported === null) throw new Error('the agent cannot report')
  return { server, agent }
}

let shared: Given
beforeAll(async () => {
  shared = await given(await startTestServer())
})
afterAll(() => shared.server.stop())

async function ownServer(options: TestServerOptions): Promise<Given> {
  const server = await startTestServer(options)
  onTestFinished(server.stop)
  return given(server)
}

const header = ({ headers }: Reply, name: string): unknown =>
  headers instanceof Headers ? headers.get(name) : headers[name]

describe('a refused request is answered with its problem document and stores nothing', () => {
  test.each(ALL)('$problem: $when', async (refusal) => {
    const { problem, arrange, options, before: prepare, after, members, retryAfter } = refusal
    await prepare?.()
    if (after !== undefined) onTestFinished(after)
    const where = options === undefined ? shared : await ownServer(refusal.options ?? {})
    const send = await arrange(where)
    const before = await databaseContent(where.server.database.db)

    const reply = await send()

    if (reply === null) throw new Error('the connection was closed without an answer')
    const { status, title } = PROBLEMS[problem]
    expect(reply.body).toMatchObject({ type: PROBLEM_PREFIX + problem, title, status, ...members })
    expect(reply.body.detail).toMatch(/\S/)
    expect(reply.status).toBe(status)
    expect(header(reply, 'content-type')).toMatch(/^application\/problem\+json/)
    if (retryAfter === true) expect(header(reply, 'retry-after')).toMatch(/^[1-9]\d*$/)
    else expect(header(reply, 'retry-after') ?? null).toBeNull()
    expect(await databaseContent(where.server.database.db)).toEqual(before)
  })

  test('and there is such a request for every type of problem', () => {
    expect(new Set(ALL.map(({ problem }) => problem))).toEqual(new Set(Object.keys(PROBLEMS)))
  })
})
