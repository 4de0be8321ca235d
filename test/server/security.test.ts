import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createLogger } from '../../src/lib/log.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { readSignedRequest } from '../../src/protocol/verify.ts'
import { createApp } from '../../src/server/app.ts'
import { createVerifier } from '../../src/server/ed25519.ts'
import { databaseContent } from '../support/database-content.ts'
import { SMALL_ORDER_ENCODINGS } from '../support/edwards.ts'
import { SETTINGS } from '../support/entries.ts'
import { createHeartbeat } from '../support/messages.ts'
import { createTestAgent, newKey, registerTestAgent, type TestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let agent: TestAgent
let count = 0

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  agent = await registerTestAgent(server, { hostname: `host${(count += 1)}` })
})

const nowSecs = () => Math.floor(Date.now() / 1000)
const problemOf = (reply: { body: { type?: string } | null }) =>
  reply.body?.type?.replace('urn:crystal-forge:problem:', '')
const shown = async (of = agent) => (await server.api('GET', `/systems/${of.hostname}`)).body

/** No request here asks for any. */
const NO_JOBS = { syncFlake: async () => {}, evaluateCommit: async () => true }

/** A second server on the same database. */
async function startAnother(settings: Partial<typeof SETTINGS> = {}) {
  const { http } = await createApp(
    {
      db: server.database.db,
      settings: { ...SETTINGS, ...settings },
      clock: systemClock,
      log: createLogger({ level: 'silent' }),
      jobs: NO_JOBS,
    },
    { verify: createVerifier(), version: 'test' },
  )
  onTestFinished(() => http.close())
  const url = await http.listen({ host: '127.0.0.1', port: 0 })
  return { http, url, authority: new URL(url).host }
}

/** What travels for one heartbeat: headers and body, signed by the agent. */
function capture(path = '/agent/heartbeat', authority = server.authority) {
  const body = Buffer.from(JSON.stringify(createHeartbeat({ sequence: Date.now(), boot_id: agent.bootId })))
  const signed = signRequest({
    method: 'POST',
    authority,
    path,
    body,
    key: agent.key,
    createdSecs: nowSecs(),
  })
  return { body, headers: { host: authority, ...signed } }
}

describe('a captured request', () => {
  test('works once', async () => {
    const { body, headers } = capture()
    expect((await agent.send('/agent/heartbeat', body, { headers })).status).toBe(200)
    expect(problemOf(await agent.send('/agent/heartbeat', body, { headers }))).toBe('replayed')
  })

  test('works once for all servers of the database', async () => {
    const other = await startAnother()
    const { body, headers } = capture()
    const replies = await Promise.all(
      [server, other, server, other].map((each) =>
        createTestAgent(each, { key: agent.key }).send('/agent/heartbeat', body, { headers }),
      ),
    )
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(3)
  })

  test('does not keep a dead host alive', async () => {
    const { body, headers } = capture()
    await agent.send('/agent/heartbeat', body, { headers })
    const before = await databaseContent(server.database.db)
    await agent.send('/agent/heartbeat', body, { headers })
    expect(await databaseContent(server.database.db)).toEqual(before)
  })

  test('works on no other path and with no other method', async () => {
    const { body, headers } = capture()
    expect(problemOf(await agent.send('/agent/state', body, { headers }))).toBe('bad-signature')
    const put = await agent.send('/agent/heartbeat', body, { headers, method: 'PUT' })
    expect(put.status).toBe(404)
  })

  test('works on no other server that knows its own names', async () => {
    const other = await startAnother({ authorities: ['other.example.org'] })
    const { body, headers } = capture()
    const there = createTestAgent(other, { key: agent.key })
    expect(problemOf(await there.send('/agent/heartbeat', body, { headers }))).toBe('misdirected')
    const renamed = { ...headers, host: 'other.example.org' }
    expect(problemOf(await there.send('/agent/heartbeat', body, { headers: renamed }))).toBe('bad-signature')
  })

  test('works for 300 s and not for ever', async () => {
    let now = Date.now()
    const later = await startTestServer({ clock: () => now })
    onTestFinished(later.stop)
    await later.api('POST', '/systems', {
      body: { hostname: agent.hostname, public_keys: [agent.publicKey] },
    })
    const { body, headers } = capture('/agent/heartbeat', later.authority)
    now += 302_000
    const there = createTestAgent(later, { key: agent.key })
    expect(problemOf(await there.send('/agent/heartbeat', body, { headers }))).toBe('stale-signature')
  })

  test('does not work again with an older sequence and a new signature by somebody else', async () => {
    await agent.heartbeat({ sequence: 100 })
    const reply = await agent.heartbeat({ sequence: 101 }, { key: { ...newKey(), id: agent.key.id } })
    expect(problemOf(reply)).toBe('bad-signature')
    expect((await agent.heartbeat({ sequence: 101 })).status).toBe(200)
  })
})

describe('identity is the key', () => {
  test('what a request writes is the system of its key, whatever its body names', async () => {
    const victim = await registerTestAgent(server, { hostname: `victim-of-${agent.hostname}` })
    await victim.report()
    const before = await shown(victim)
    agent.state.fingerprint.software.hostname = victim.hostname
    const reply = await agent.report()
    expect(reply.status).toBe(403)
    expect(problemOf(reply)).toBe('wrong-host')
    await agent.heartbeat()
    expect(await shown(victim)).toEqual(before)
    expect(await shown()).toMatchObject({ report_id: null, fingerprint: null, liveness: 'online' })
  })

  test('nobody writes with the key id of another', async () => {
    const victim = await registerTestAgent(server, { hostname: `victim-of-${agent.hostname}` })
    const key = { ...agent.key, id: victim.key.id }
    expect(problemOf(await agent.heartbeat({}, { key }))).toBe('bad-signature')
    expect(await shown(victim)).toMatchObject({ liveness: 'never_seen' })
  })

  test('the same bytes from two systems are two reports, and evidence is that of one of them', async () => {
    const other = await registerTestAgent(server, { hostname: `other-of-${agent.hostname}` })
    agent.state.fingerprint.software.hostname = null
    const { sent } = await agent.report()
    expect((await other.send('/agent/state', sent)).body).toMatchObject({ duplicate: false })
    const id = `sha256:${createHash('sha256').update(sent).digest('hex')}`
    for (const { hostname, key } of [agent, other]) {
      const { body } = await server.api('GET', `/systems/${hostname}/reports`)
      expect(body.reports).toMatchObject([{ id, key_id: key.id }])
    }
    const { body: report } = await server.api('GET', `/reports/${id}`)
    expect(report).toMatchObject({ hostname: agent.hostname, key_id: agent.key.id })
    const { evidence } = report
    const signed = readSignedRequest({
      method: evidence.method,
      authority: evidence.authority,
      path: evidence.path,
      contentDigest: evidence.content_digest,
      signatureInput: evidence.signature_input,
      signature: evidence.signature,
    })
    expect(evidence.public_key).toBe(agent.publicKey)
    expect(verifyWithNode(agent.key.publicKey, signed.base, signed.signatureBytes)).toBe(true)
    expect(verifyWithNode(other.key.publicKey, signed.base, signed.signatureBytes)).toBe(false)
  })
})

describe('a key', () => {
  test('that is revoked is refused at once by every server, also by those that know it', async () => {
    const other = await startAnother()
    const there = createTestAgent(other, { hostname: agent.hostname, key: agent.key })
    expect((await there.heartbeat()).status).toBe(200)
    await server.api('DELETE', `/systems/${agent.hostname}/keys/${agent.key.id}`)
    expect(problemOf(await there.heartbeat())).toBe('revoked-key')
    expect(problemOf(await there.report())).toBe('revoked-key')
  })

  test.each(SMALL_ORDER_ENCODINGS)('of small order cannot be registered in any way: %s', async (hex) => {
    const text = encodeBase64(Buffer.from(hex, 'hex'))
    const system = { hostname: 'weak', public_keys: [text] }
    expect(problemOf(await server.api('POST', '/systems', { body: system }))).toBe('invalid')
    const added = await server.api('POST', `/systems/${agent.hostname}/keys`, { body: { public_key: text } })
    expect(problemOf(added)).toBe('invalid')
    expect(problemOf(await agent.enroll('cfe_x', { public_key: text }))).toBe('invalid')
  })
})

describe('an unknown key', () => {
  test('costs what a known one costs: one look-up and one verification, and gets the same answer', async () => {
    let verifications = 0
    const verify = createVerifier()
    const counted = await startTestServer({
      verify: (...given) => {
        verifications += 1
        return verify(...given)
      },
    })
    onTestFinished(counted.stop)
    let lookups = 0
    counted.database.pool.on('acquire', () => {
      lookups += 1
    })
    const known = await registerTestAgent(counted, { hostname: 'known' })
    const cached = await registerTestAgent(counted, { hostname: 'cached' })
    const revoked = await registerTestAgent(counted, { hostname: 'revoked' })
    await cached.heartbeat()
    await counted.api('DELETE', `/systems/revoked/keys/${revoked.key.id}`)

    const costs = []
    for (const id of [newKey().id, known.key.id, cached.key.id, revoked.key.id, 'x', '']) {
      lookups = 0
      verifications = 0
      const { status, body } = await known.heartbeat({}, { key: { ...newKey(), id } })
      costs.push({ status, body, lookups, verifications })
    }
    expect(costs[0]).toMatchObject({ status: 401, lookups: 1, verifications: 1 })
    for (const cost of costs) expect(cost).toEqual(costs[0])
  })
})

/** Whether an enrolment is let through to its token, which nobody can have read on the way. */
async function isConfidential(
  given: { trustedProxies?: string[]; remoteAddress?: string },
  headers: Record<string, string>,
): Promise<boolean> {
  const { http } = await startAnother({ trustedProxies: given.trustedProxies ?? [] })
  const key = newKey()
  const payload = JSON.stringify({
    version: 1,
    token: 'cfe_unknown',
    hostname: 'new',
    public_key: encodeBase64(key.publicKey),
  })
  const signed = signRequest({
    method: 'POST',
    authority: 'forge.example.org',
    path: '/agent/enroll',
    body: Buffer.from(payload),
    key,
    createdSecs: nowSecs(),
  })
  const reply = await http.inject({
    method: 'POST',
    url: '/agent/enroll',
    headers: { host: 'forge.example.org', 'content-type': 'application/json', ...signed, ...headers },
    payload,
    remoteAddress: given.remoteAddress ?? '127.0.0.1',
  })
  const problem = problemOf({ body: reply.json() })
  if (problem !== 'enrollment-refused' && problem !== 'forbidden') throw new Error(reply.body)
  return problem === 'enrollment-refused'
}

describe('enrolment', () => {
  const PROXIES = ['192.0.2.0/24', '2001:db8::/32']

  test.each([
    { why: 'loopback', given: {}, headers: {}, expected: true },
    { why: 'loopback, IPv6', given: { remoteAddress: '::1' }, headers: {}, expected: true },
    { why: 'loopback, mapped', given: { remoteAddress: '::ffff:127.0.0.1' }, headers: {}, expected: true },
    { why: 'the network', given: { remoteAddress: '198.51.100.1' }, headers: {}, expected: false },
    {
      why: 'the network, claiming TLS',
      given: { remoteAddress: '198.51.100.1' },
      headers: { 'x-forwarded-proto': 'https' },
      expected: false,
    },
    {
      why: 'the network, claiming TLS beside proxies that are trusted',
      given: { remoteAddress: '198.51.100.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' },
      expected: false,
    },
    {
      why: 'the network, claiming to be loopback',
      given: { remoteAddress: '198.51.100.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-for': '127.0.0.1' },
      expected: false,
    },
    {
      why: 'a trusted proxy that had TLS',
      given: { remoteAddress: '192.0.2.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': 'https' },
      expected: true,
    },
    {
      why: 'a trusted proxy that had TLS, IPv6',
      given: { remoteAddress: '2001:db8::1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': 'https' },
      expected: true,
    },
    {
      why: 'a trusted proxy that had TLS, mapped',
      given: { remoteAddress: '::ffff:192.0.2.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': 'https' },
      expected: true,
    },
    {
      why: 'a trusted proxy that says nothing',
      given: { remoteAddress: '192.0.2.1', trustedProxies: PROXIES },
      headers: {},
      expected: false,
    },
    {
      why: 'a trusted proxy that had no TLS',
      given: { remoteAddress: '192.0.2.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': 'http' },
      expected: false,
    },
    ...['https, http', 'http, https', 'https, https', 'HTTPS', 'https;', 'wss'].map((value) => ({
      why: `a trusted proxy that passed on "${value}"`,
      given: { remoteAddress: '192.0.2.1', trustedProxies: PROXIES },
      headers: { 'x-forwarded-proto': value },
      expected: false,
    })),
    ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'].map((name) => ({
      why: `an unknown proxy on this machine, by ${name}`,
      given: {},
      headers: { [name]: 'https' },
      expected: false,
    })),
    {
      why: 'loopback that is a trusted proxy and says nothing',
      given: { trustedProxies: ['127.0.0.1'] },
      headers: {},
      expected: false,
    },
  ])('from $why: $expected', async ({ given, headers, expected }) => {
    expect(await isConfidential(given, headers)).toBe(expected)
  })
})

describe('what the server says', () => {
  test('about a failure inside has nothing of the inside, and the log has no token', async () => {
    const lines: string[] = []
    const log = createLogger({
      level: 'debug',
      destination: { write: (line: string) => void lines.push(line) },
    })
    const broken = await startTestServer({ log })
    onTestFinished(broken.stop)
    const { body: created } = await broken.api('POST', '/enroll-tokens', { body: { name: 'a test' } })
    const there = createTestAgent(broken)
    await broken.database.pool.query('alter table keys rename to keys_away')
    const reply = await there.enroll(created.token)
    expect(reply).toMatchObject({
      status: 500,
      body: { detail: 'the server failed to handle the request; its log says why' },
    })
    expect(reply.text).not.toMatch(/keys|relation|select/)
    await broken.database.pool.query('alter table keys_away rename to keys')
    await there.enroll(created.token)
    await there.enroll('cfe_wrong')
    await broken.api('GET', '/systems', { token: 'cfa_wrong' })
    expect(lines.join('')).toContain('relation')
    for (const secret of [created.token, broken.adminToken, 'cfe_wrong', 'cfa_wrong'])
      expect(lines.join('')).not.toContain(secret)
  })
})
