import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/lib/secret.ts'
import { sha256Id } from '../../src/protocol/digests.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { createHost, startAgent, startServer, storePath } from '../support/agent.ts'
import { problemReply, type Answer } from '../support/agent-server.ts'
import { waitFor } from '../support/wait.ts'

const QUICK = { heartbeatIntervalMs: 20 }
const PAGE: Answer = { status: 400, headers: { 'content-type': 'text/html' }, body: '<h1>Bad Request</h1>' }

describe('a report that the server will never take', () => {
  test.each(['malformed', 'too-large', 'unsupported', 'invalid'] as const)(
    'is set aside after %s, and the next one counts it',
    async (problem) => {
      const server = await startServer()
      server.answerNext('state', problemReply(problem))
      const host = await createHost(server)
      await startAgent(host, server)
      await waitFor(async () => (await readdir(join(host.stateDir, 'set-aside'))).length === 1)
      await host.switchTo('next')
      const report = await waitFor(() => server.reports[1], { what: 'the next report' })
      expect(report.message).toMatchObject({
        reason: 'config_change',
        dropped: 1,
        previous: sha256Id(server.reports[0]!.body),
      })
      await waitFor(() => server.accepted() === sha256Id(report.body))
      await host.switchTo('after')
      await waitFor(() => server.reports.length === 3)
      expect(server.reports[2]!.message.dropped).toBe(0)
    },
  )

  test('does not make the agent send another each interval', async () => {
    const server = await startServer()
    server.answerAlways('state', problemReply('invalid'))
    const host = await createHost(server)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length > 10)
    expect(server.reports.map(({ message }) => message.reason)).toEqual(['startup', 'requested'])
  })

  test('is kept when it was a page of a proxy that said so', async () => {
    const server = await startServer()
    server.answerNext('state', PAGE, PAGE, { ...PAGE, status: 422 }, { ...PAGE, status: 200 })
    const host = await createHost(server)
    await startAgent(host, server)
    await waitFor(() => server.accepted())
    expect(server.reports).toHaveLength(5)
    expect(new Set(server.reports.map(({ body }) => body.toString())).size).toBe(1)
  })
})

describe('a heartbeat', () => {
  test('that the server will never take is dropped', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const { waits } = await startAgent(host, server, QUICK)
    server.answerNext('heartbeat', problemReply('invalid'), problemReply('malformed'))
    await waitFor(() => server.heartbeats.length >= 4)
    expect(waits).toEqual([])
  })

  test('is made anew after a failure, with the next sequence, and nothing of it is kept', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const { agent } = await startAgent(host, server, QUICK)
    server.answerNext('heartbeat', 'reset', { status: 502, body: '' }, problemReply('unavailable'))
    await waitFor(() => server.heartbeats.length >= 6)
    await agent.stop()
    const sequences = server.heartbeats.map(({ message }) => message.sequence)
    expect(new Set(sequences).size).toBe(sequences.length)
    expect(
      (await readdir(join(host.stateDir, 'spool'), { recursive: true })).filter((name) =>
        name.endsWith('.json'),
      ),
    ).toEqual([])
  })

  test('goes on above what the server has seen', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const seen = Date.now() + 1_000_000_000
    server.answerNext('heartbeat', problemReply('replayed', { lastSequence: seen }))
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length >= 3)
    expect(server.heartbeats.slice(1, 3).map(({ message }) => message.sequence)).toEqual([seen + 1, seen + 2])
  })

  test('is not believed a last_sequence beyond the year 2100', async () => {
    const server = await startServer()
    const host = await createHost(server)
    server.answerNext('heartbeat', problemReply('replayed', { lastSequence: Date.UTC(2150, 0, 1) }))
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length >= 3)
    expect(server.heartbeats.at(-1)!.message.sequence).toBeLessThan(Date.UTC(2100, 0, 1))
  })

  test('is sent though reports fail, and reports though heartbeats fail', async () => {
    const server = await startServer()
    server.answerAlways('state', { status: 502, body: '' })
    const host = await createHost(server)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length > 3)
    server.answerAlways('heartbeat', { status: 502, body: '' })
    server.answerAlways('state', null)
    await waitFor(() => server.accepted())
  })
})

describe('after 409', () => {
  test('a report and all behind it are made again in order, of the same observations', async () => {
    const server = await startServer()
    server.answerAlways('state', 'reset')
    const host = await createHost(server)
    const { lines } = await startAgent(host, server, QUICK)
    await waitFor(() => server.reports.length > 0)
    for (const name of ['b', 'c']) {
      const before = lines.filter(({ msg }) => msg === 'report made').length
      await host.switchTo(name)
      await waitFor(() => lines.filter(({ msg }) => msg === 'report made').length > before)
    }
    const first = server.reports[0]!.message
    const lastSequence = Date.now() + 1_000_000
    server.answerAlways('state', null)
    server.answerNext('state', problemReply('replayed', { lastSequence }))
    server.reports.length = 0
    await waitFor(() => server.reports.length === 4)
    const [refused, ...again] = server.reports
    expect(refused!.message).toEqual(first)
    expect(again[0]!.message).toEqual({ ...first, sequence: lastSequence + 1 })
    expect(again.map(({ message }) => message.sequence)).toEqual([1, 2, 3].map((n) => lastSequence + n))
    expect(again.map(({ message }) => message.previous)).toEqual([
      null,
      sha256Id(again[0]!.body),
      sha256Id(again[1]!.body),
    ])
    expect(again.map(({ message }) => message.system!.current)).toEqual([
      first.system!.current,
      storePath('b'),
      storePath('c'),
    ])
    const observed = again.map(({ message }) => Date.parse(message.observed_at))
    expect(observed).toEqual(observed.toSorted((a, b) => a - b))
    await waitFor(() => server.accepted() === sha256Id(again[2]!.body))
    await host.switchTo('d')
    await waitFor(() => server.reports.length === 5)
    expect(server.reports[4]!.message.previous).toBe(sha256Id(again[2]!.body))
  })

  test('a last_sequence beyond the year 2100 is ignored', async () => {
    const server = await startServer()
    server.answerNext('state', problemReply('replayed', { lastSequence: Date.UTC(2150, 0, 1) }))
    const host = await createHost(server)
    await startAgent(host, server)
    await waitFor(() => server.accepted())
    expect(server.reports[1]!.message.sequence).toBeLessThan(Date.UTC(2100, 0, 1))
    expect(server.reports[1]!.message.sequence).toBeGreaterThan(server.reports[0]!.message.sequence)
  })

  test('again and again, the server is not asked in a quick loop', async () => {
    const server = await startServer()
    server.answerAlways('state', problemReply('replayed', { lastSequence: 5 }))
    const host = await createHost(server)
    const { waits } = await startAgent(host, server)
    await waitFor(() => server.reports.length >= 5)
    expect(waits.slice(0, 3)).toEqual([1000, 2000, 4000])
  })
})

describe('waiting', () => {
  test('the server says how long with Retry-After', async () => {
    const server = await startServer()
    server.answerNext(
      'state',
      problemReply('slow-down', { headers: { 'retry-after': '120' } }),
      problemReply('unavailable', { headers: { 'retry-after': '7200' } }),
    )
    const host = await createHost(server)
    const { waits } = await startAgent(host, server, { random: () => 0 })
    await waitFor(() => server.accepted())
    expect(waits).toEqual([120_000, 3_600_000])
  })

  test('an unreachable server is asked again, at most an interval later, until it is there', async () => {
    const server = await startServer()
    const port = Number(server.url.port)
    await server.stop()
    const host = await createHost()
    const { waits, lines } = await startAgent(host, server)
    await waitFor(() => waits.length > 8)
    expect(waits.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    const back = await startServer({ port })
    back.register(host.key.publicKey)
    await waitFor(() => back.accepted())
    const said = lines.filter(({ level }) => level === 'warn')
    expect(said.map(({ msg }) => msg)).toEqual([expect.stringContaining('ECONNREFUSED')])
    await waitFor(() => lines.some(({ msg }) => msg === 'the server answers again'))
  })

  test.each(['bad-signature', 'revoked-key', 'pending-approval', 'wrong-host', 'misdirected'] as const)(
    'up to 5 minutes after %s, and the reason is logged',
    async (problem) => {
      const server = await startServer()
      server.answerAlways('state', problemReply(problem))
      const host = await createHost(server)
      const { waits, lines } = await startAgent(host, server)
      await waitFor(() => waits.length >= 10)
      expect(waits.slice(0, 10).map((ms) => ms / 500)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
      expect(lines.some(({ level, msg }) => level === 'warn' && msg.includes(problem))).toBe(true)
      server.answerAlways('state', null)
      await waitFor(() => server.accepted())
    },
  )
})

describe('a wrong clock', () => {
  const offsetMs = -3 * 86_400_000
  const clock = (): number => Date.now() + offsetMs

  test("is put right from the server's date, for signatures only, and reported", async () => {
    const server = await startServer()
    const host = await createHost(server)
    const { waits, agent } = await startAgent(host, server, { ...QUICK, clock })
    await waitFor(() => server.accepted() && server.heartbeats.length > 0)
    expect(waits).toEqual([])
    const [report] = server.reports
    // Made before the server could say so, and fixed since then.
    expect(report!.message.clock_skew_secs).toBe(0)
    expect(Math.abs(Date.parse(report!.message.observed_at) - clock())).toBeLessThan(60_000)
    expect(Math.abs(report!.createdSecs * 1000 - Date.now())).toBeLessThan(60_000)
    const skew = server.heartbeats[0]!.message.clock_skew_secs
    expect(Math.abs(skew - 3 * 86_400)).toBeLessThanOrEqual(2)

    await agent.stop()
    const before = { requests: server.requests.length, heartbeats: server.heartbeats.length }
    await startAgent(host, server, { clock })
    await waitFor(() => server.heartbeats.length > before.heartbeats)
    // No request had to be refused for it.
    expect(server.requests).toHaveLength(before.requests + 1)
    expect(server.heartbeats.at(-1)!.message.clock_skew_secs).toBe(skew)
  })

  test('that was set right is noticed', async () => {
    const server = await startServer()
    const host = await createHost(server)
    let error = offsetMs
    await startAgent(host, server, { ...QUICK, clock: () => Date.now() + error })
    await waitFor(() => server.heartbeats.length > 0)
    error = 0
    await waitFor(() => Math.abs(server.heartbeats.at(-1)!.message.clock_skew_secs) <= 2)
    const sequences = server.heartbeats.map(({ message }) => message.sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
  })

  test('set back does not make a sequence fall', async () => {
    const server = await startServer()
    const host = await createHost(server)
    let error = 200_000
    const first = await startAgent(host, server, { ...QUICK, clock: () => Date.now() + error })
    await waitFor(() => server.heartbeats.length > 0)
    await first.agent.stop()
    error = -200_000
    const last = server.heartbeats.at(-1)!.message.sequence
    const seen = server.heartbeats.length
    await startAgent(host, server, { ...QUICK, clock: () => Date.now() + error })
    await waitFor(() => server.heartbeats.length > seen)
    expect(server.heartbeats[seen]!.message.sequence).toBe(last + 1)
  })
})

describe('enrolment', () => {
  test('an unknown key with a token is enrolled, and goes on at once', async () => {
    const server = await startServer()
    server.token = 'one-time'
    const host = await createHost()
    const { waits, lines } = await startAgent(host, server, { enrollmentToken: new Secret('one-time') })
    await waitFor(() => server.accepted())
    expect(server.enrollments.map(({ message }) => message)).toEqual([
      { version: 1, token: 'one-time', hostname: 'web1', public_key: encodeBase64(host.key.publicKey) },
    ])
    expect(waits).toEqual([])
    expect(JSON.stringify(lines)).not.toContain('one-time')
  })

  test('a key that waits for approval backs off until it is approved', async () => {
    const server = await startServer()
    server.answerAlways('enroll', { status: 202, body: '{"status":"pending"}' })
    const host = await createHost()
    const { waits, lines } = await startAgent(host, server, { enrollmentToken: new Secret('one-time') })
    await waitFor(() => waits.length >= 3)
    expect(waits.slice(0, 3)).toEqual([500, 1000, 2000])
    expect(lines.some(({ msg }) => msg.includes('waits for approval'))).toBe(true)
    server.register(host.key.publicKey)
    await waitFor(() => server.accepted())
  })

  test('a refused token backs off', async () => {
    const server = await startServer()
    const host = await createHost()
    const { waits, lines } = await startAgent(host, server, { enrollmentToken: new Secret('spent') })
    await waitFor(() => waits.length >= 3)
    expect(waits.slice(0, 3)).toEqual([500, 1000, 2000])
    expect(lines.some(({ msg }) => msg.includes('enrollment-refused'))).toBe(true)
  })

  // 0.0.0.0 leads to this machine, but it is no loopback address: anything else without TLS looks the same.
  test('a token is not sent to another machine without TLS', async () => {
    const server = await startServer()
    server.token = 'one-time'
    const host = await createHost()
    const url = new URL(server.url)
    url.hostname = '0.0.0.0'
    const { waits, lines } = await startAgent(host, { url }, { enrollmentToken: new Secret('one-time') })
    await waitFor(() => waits.length >= 3)
    expect(server.enrollments).toEqual([])
    expect(lines.some(({ level, msg }) => level === 'warn' && msg.includes('TLS'))).toBe(true)
  })

  test('without a token nothing is enrolled', async () => {
    const server = await startServer()
    const host = await createHost()
    const { waits } = await startAgent(host, server)
    await waitFor(() => waits.length >= 3)
    expect(server.requests.map(({ endpoint }) => endpoint)).not.toContain('/agent/enroll')
  })
})

test('requests of an agent share one connection', async () => {
  const server = await startServer()
  const host = await createHost(server)
  await startAgent(host, server, QUICK)
  await waitFor(() => server.heartbeats.length >= 5)
  expect(new Set(server.requests.map(({ socket }) => socket)).size).toBe(1)
})
