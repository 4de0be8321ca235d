import type { Socket } from 'node:net'
import { sign } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { contentDigest, stateDigest } from '../../src/protocol/digests.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { COMPONENTS, coveredLines, signatureBase } from '../../src/protocol/signature-base.ts'
import { checkContentDigest, readSignedRequest } from '../../src/protocol/verify.ts'
import { createHeartbeat } from '../support/messages.ts'
import { openRaw } from '../support/raw-http.ts'
import { newKey, registerTestAgent, type TestAgent } from '../support/test-agent.ts'
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

/** The headers of a heartbeat whose signature has other parameters, another label or other components than ours. */
function signOtherwise(
  body: object,
  { components = [...COMPONENTS], parameters = '', label = 'cf', digest = '' } = {},
) {
  const bytes = Buffer.from(JSON.stringify(body))
  const covered = {
    method: 'POST',
    authority: server.authority,
    path: '/agent/heartbeat',
    contentDigest: digest === '' ? contentDigest(bytes) : digest,
  }
  const list = `(${components.map((name) => `"${name}"`).join(' ')})${parameters}`
  const base = signatureBase(coveredLines(components, covered), list)
  return {
    'content-digest': covered.contentDigest,
    'signature-input': `${label}=${list}`,
    signature: `${label}=:${sign(null, Buffer.from(base), agent.key.keyObject).toString('base64')}:`,
  }
}
const ownParameters = () =>
  `;created=${nowSecs()};keyid="${agent.key.id}";alg="ed25519";tag="crystal-forge-agent"`

const heartbeat = () => createHeartbeat({ sequence: Date.now() })
const filled = (length: number) => ({
  ...createHeartbeat({ sequence: Date.now() }),
  fill: 'x'.repeat(length),
})

/** The statuses of so many heartbeats with unknown keys. */
const failures = async (times: number, headers: Record<string, string>, from: TestAgent) => {
  const statuses: number[] = []
  for (let index = 0; index < times; index += 1)
    statuses.push((await from.heartbeat({}, { key: newKey(), headers })).status)
  return statuses
}

describe('a heartbeat', () => {
  test('is answered with wanted before the first report, and with known after it', async () => {
    expect(await agent.heartbeat()).toMatchObject({
      status: 200,
      body: { state: 'wanted', heartbeat_interval_secs: 60 },
    })
    await agent.report()
    expect((await agent.heartbeat()).body.state).toBe('known')
    agent.state.fingerprint.software.kernel_release = '6.18.1'
    expect((await agent.heartbeat()).body.state).toBe('wanted')
    await agent.report()
    expect((await agent.heartbeat()).body.state).toBe('known')
  })

  test('of exactly 16 KiB is taken', async () => {
    const room = 16 * 1024 - JSON.stringify(filled(0)).length
    expect((await agent.send('/agent/heartbeat', filled(room + 1))).status).toBe(413)
    expect((await agent.send('/agent/heartbeat', filled(room))).status).toBe(200)
  })

  test('may come in chunks', async () => {
    const reply = await agent.heartbeat(
      {},
      { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    )
    expect(reply.status).toBe(200)
  })

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'may be of the type %s',
    async (type) => {
      expect((await agent.heartbeat({}, { headers: { 'content-type': type } })).status).toBe(200)
    },
  )

  test('asks for whole seconds where the setting has none', async () => {
    const other = await startTestServer({ settings: { heartbeatIntervalMs: 10_500 } })
    onTestFinished(other.stop)
    const there = await registerTestAgent(other)
    expect((await there.heartbeat()).body).toEqual({ state: 'wanted', heartbeat_interval_secs: 11 })
    await there.report()
    expect((await other.api('GET', '/systems/web1')).body).toMatchObject({ interval_secs: 11 })
  })
})

describe('a signature', () => {
  test.each([
    { name: 'under any label', given: { label: 'other-label' } },
    {
      name: 'with its components in any order',
      given: { components: ['content-digest', '@path', '@method', '@authority'] as const },
    },
  ])('is taken $name', async ({ given: { components, ...given } }) => {
    const body = heartbeat()
    const headers = signOtherwise(body, {
      ...given,
      ...(components !== undefined && { components: [...components] }),
      parameters: ownParameters(),
    })
    expect((await agent.send('/agent/heartbeat', body, { headers })).status).toBe(200)
  })

  test.each([
    {
      name: 'in any order',
      of: (id: string) => `;tag="crystal-forge-agent";keyid="${id}";created=${nowSecs()}`,
    },
    {
      name: 'with a nonce and an expiry that is not past',
      of: (id: string) =>
        `;created=${nowSecs()};expires=${nowSecs() + 60};nonce="n";keyid="${id}";tag="crystal-forge-agent"`,
    },
  ])('is taken with parameters $name', async ({ of }) => {
    const body = heartbeat()
    const headers = signOtherwise(body, { parameters: of(agent.key.id) })
    expect((await agent.send('/agent/heartbeat', body, { headers })).status).toBe(200)
  })

  test('that has expired is stale', async () => {
    const body = heartbeat()
    const headers = signOtherwise(body, { parameters: `;expires=${nowSecs() - 2}${ownParameters()}` })
    expect((await agent.send('/agent/heartbeat', body, { headers })).body.type).toMatch(/stale-signature$/)
  })

  test('may stand beside others with other tags, and in several header lines', async () => {
    const body = heartbeat()
    const own = signOtherwise(body, { parameters: ownParameters() })
    const headers = {
      ...own,
      'signature-input': ['proxy=("@method");tag="proxy"', own['signature-input']],
      signature: [`proxy=:${Buffer.alloc(64).toString('base64')}:`, own.signature],
    }
    expect((await agent.send('/agent/heartbeat', body, { headers })).status).toBe(200)
  })

  test('may cover digests of other algorithms beside sha-256, which are ignored', async () => {
    const body = heartbeat()
    const own = contentDigest(Buffer.from(JSON.stringify(body)))
    const digest = `unixsum=:AAAA:, ${own}`
    const headers = signOtherwise(body, { parameters: ownParameters(), digest })
    expect((await agent.send('/agent/heartbeat', body, { headers })).status).toBe(200)
  })

  test.each([-298, 298])('made %d s from now is fresh', async (seconds) => {
    expect((await agent.heartbeat({}, { createdSecs: nowSecs() + seconds })).status).toBe(200)
  })
})

describe('a Host', () => {
  test.each([
    { sent: 'FORGE.example.org', why: 'in capitals' },
    { sent: 'forge.example.org:443', why: 'with the port of HTTPS' },
    { sent: 'forge.example.org:80', why: 'with the port of HTTP' },
    { sent: 'forge.internal:3000', why: 'of the further names' },
  ])('of this server is taken: $why', async ({ sent }) => {
    const named = await startTestServer({
      settings: { publicUrl: 'https://forge.example.org', authorities: ['forge.internal:3000'] },
    })
    onTestFinished(named.stop)
    const there = await registerTestAgent(named)
    const reply = await there.heartbeat({}, { authority: sent, headers: { host: sent } })
    expect(reply.status).toBe(200)
    const other = await there.heartbeat(
      {},
      { authority: 'x.example.org', headers: { host: 'x.example.org' } },
    )
    expect(other.status).toBe(421)
  })
})

describe('a report', () => {
  test('is acknowledged with its id, and again as a duplicate', async () => {
    const first = await agent.report()
    expect(first).toMatchObject({ status: 200, body: { accepted: agent.reported, duplicate: false } })
    expect(await agent.send('/agent/state', first.sent)).toMatchObject({
      status: 200,
      body: { accepted: agent.reported, duplicate: true },
    })
  })

  test('with members nobody here knows has the digest its agent computed', async () => {
    Object.assign(agent.state.fingerprint, { later: { '\u20ac': [1e21, 0.1, -0, 'é'] }, a: null })
    Object.assign(agent.state.fingerprint.hardware, { later: [{ z: 1, a: 2 }] })
    await agent.report()
    expect((await agent.heartbeat({ state_digest: stateDigest(agent.state) })).body.state).toBe('known')
  })

  test('can be checked from what the API gives out', async () => {
    const { sent } = await agent.report()
    const { body: report } = await server.api('GET', `/reports/${agent.reported}`)
    const { evidence } = report
    expect(Buffer.from(evidence.body, 'base64')).toEqual(sent)
    const signed = readSignedRequest({
      method: evidence.method,
      authority: evidence.authority,
      path: evidence.path,
      contentDigest: evidence.content_digest,
      signatureInput: evidence.signature_input,
      signature: evidence.signature,
    })
    const publicKey = Buffer.from(evidence.public_key, 'base64')
    expect(verifyWithNode(publicKey, signed.base, signed.signatureBytes)).toBe(true)
    checkContentDigest(evidence.content_digest, Buffer.from(evidence.body, 'base64'))
  })

  test('of nearly 1 MiB is taken', async () => {
    expect((await agent.report({ fill: 'x'.repeat(1024 * 1024 - 10_000) })).status).toBe(200)
  })

  test('that arrives too slowly is to be sent again, not set aside', async () => {
    const accepted = new Promise<Socket>((resolve) => server.http.server.once('connection', resolve))
    const { socket, answer } = openRaw(server.url)
    onTestFinished(() => void socket.destroy())
    socket.write('POST /agent/state HTTP/1.1\r\n')
    // what Node says when REQUEST_TIMEOUT_MS has passed
    const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    server.http.server.emit('clientError', late, await accepted)
    expect(await answer()).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { type: 'urn:crystal-forge:problem:unavailable' },
    })
  })
})

describe('failed authentications', () => {
  test('are not counted for loopback', async () => {
    expect(new Set(await failures(125, {}, agent))).toEqual(new Set([401]))
  })

  test('do not slow down good requests from their address, nor failures from another', async () => {
    const proxied = await startTestServer({ settings: { trustedProxies: ['127.0.0.0/8'] } })
    onTestFinished(proxied.stop)
    const there = await registerTestAgent(proxied)
    const [one, other] = [{ 'x-forwarded-for': '192.0.2.1' }, { 'x-forwarded-for': '192.0.2.2' }]
    const statuses = await failures(121, one, there)
    expect(statuses.indexOf(429)).toBe(120)
    expect((await there.heartbeat({}, { headers: one })).status).toBe(200)
    expect(await failures(1, other, there)).toEqual([401])
  })

  test.each(['unknown', '192.0.2.1:4711', 'fe80::1%eth0', '', 'x'.repeat(5000)])(
    'are answered also when a proxy names the address %j',
    async (address) => {
      const proxied = await startTestServer({ settings: { trustedProxies: ['127.0.0.0/8'] } })
      onTestFinished(proxied.stop)
      const there = await registerTestAgent(proxied)
      const headers = { 'x-forwarded-for': address }
      expect(await failures(2, headers, there)).toEqual([401, 401])
      expect((await there.heartbeat({}, { headers })).status).toBe(200)
    },
  )

  test('are forgotten after a minute', async () => {
    let now = Date.now()
    const proxied = await startTestServer({
      settings: { trustedProxies: ['127.0.0.0/8'] },
      clock: () => now,
    })
    onTestFinished(proxied.stop)
    const there = await registerTestAgent(proxied)
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    expect((await failures(121, headers, there)).at(-1)).toBe(429)
    const limited = await there.heartbeat({}, { key: newKey(), headers })
    expect(Number(limited.headers['retry-after'])).toBeLessThanOrEqual(60)
    now += 60_000
    expect(await failures(1, headers, there)).toEqual([401])
  })
})

describe('a clock that is wrong by less than is refused', () => {
  test.each(['heartbeat', 'report'] as const)(
    'raises clock_skew by the signature of a %s',
    async (message) => {
      const skewed = await registerTestAgent(server, { hostname: `late-${message}` })
      const look = async () => {
        const { body } = await server.api('GET', `/systems/late-${message}`)
        const flags: { flag: string }[] = body.flags
        return { skew: Number(body.clock_skew_secs), raised: flags.some(({ flag }) => flag === 'clock_skew') }
      }
      expect((await skewed[message]({}, { createdSecs: nowSecs() - 100 })).status).toBe(200)
      const wrong = await look()
      expect(wrong.raised).toBe(true)
      expect(Math.abs(wrong.skew - 100)).toBeLessThanOrEqual(5)

      expect((await skewed[message]({}, { createdSecs: nowSecs() - 5 })).status).toBe(200)
      expect(await look()).toEqual({ skew: 0, raised: false })
    },
  )
})
