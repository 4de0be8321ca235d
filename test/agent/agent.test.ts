import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { collectFingerprint } from '../../src/agent/facts/collect.ts'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import {
  createHost,
  replaceLink,
  replaceLinkInBurst,
  startAgent,
  startServer,
  storePath,
} from '../support/agent.ts'
import { waitFor } from '../support/wait.ts'

const QUICK = { heartbeatIntervalMs: 20 }

describe('at start', () => {
  test('a new agent sends a report with reason startup', async () => {
    const server = await startServer()
    const host = await createHost(server)
    await startAgent(host, server)
    const report = await waitFor(() => server.reports[0], { what: 'a report' })
    expect(report.message).toMatchObject({
      version: 1,
      reason: 'startup',
      previous: null,
      dropped: 0,
      spool_failed: false,
      clock_skew_secs: 0,
      boot_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      system: { current: storePath('25.11.20251120.abc1234') },
      fingerprint: { software: { hostname: 'web1', agent_version: '1.2.3' } },
    })
    expect(Math.abs(Date.parse(report.message.observed_at) - Date.now())).toBeLessThan(60_000)
    expect(Math.abs(report.message.sequence - Date.now())).toBeLessThan(60_000)
    await waitFor(() => server.accepted() === sha256Id(report.body))
  })

  test('an agent that is started again where nothing has changed sends a heartbeat instead', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const first = await startAgent(host, server)
    await waitFor(() => first.lines.some(({ msg }) => msg === 'report accepted'))
    await first.agent.stop()
    await startAgent(host, server)
    const heartbeat = await waitFor(() => server.heartbeats[0], { what: 'a heartbeat' })
    const [report] = server.reports
    expect(heartbeat.message).toEqual({
      version: 1,
      sequence: expect.any(Number),
      boot_id: report!.message.boot_id,
      uptime_secs: 86_400,
      clock_skew_secs: 0,
      current_system: storePath('25.11.20251120.abc1234'),
      state_digest: stateDigest(report!.message),
      reported: sha256Id(report!.body),
    })
    expect(server.reports).toHaveLength(1)
  })

  test.each([
    ['the system has changed', (host: Awaited<ReturnType<typeof createHost>>) => host.switchTo('new')],
    ['a fact has changed', (host: Awaited<ReturnType<typeof createHost>>) => host.rename('web2')],
    ['it is another boot', (host: Awaited<ReturnType<typeof createHost>>) => host.reboot()],
  ])('an agent that is started again reports when %s', async (_what, change) => {
    const server = await startServer()
    const host = await createHost(server)
    const first = await startAgent(host, server)
    await waitFor(() => first.lines.some(({ msg }) => msg === 'report accepted'))
    await first.agent.stop()
    await change(host)
    await startAgent(host, server)
    const report = await waitFor(() => server.reports[1], { what: 'a second report' })
    expect(report.message.reason).toBe('startup')
    expect(report.message.previous).toBe(sha256Id(server.reports[0]!.body))
    expect(report.message.sequence).toBeGreaterThan(server.reports[0]!.message.sequence)
  })

  test('what was not sent before the restart is sent first, byte for byte, and nothing is reported twice', async () => {
    const server = await startServer()
    server.answerAlways('state', 'reset')
    const host = await createHost(server)
    const first = await startAgent(host, server)
    await waitFor(() => server.reports.length > 0)
    await first.agent.stop()
    server.answerAlways('state', null)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length >= 2)
    expect(new Set(server.reports.map(({ body }) => body.toString()))).toHaveProperty('size', 1)
    expect(server.accepted()).toBe(sha256Id(server.reports[0]!.body))
  })
})

describe('while it runs', () => {
  test('every interval there is a heartbeat with a rising sequence as long as nothing changes', async () => {
    const server = await startServer()
    const host = await createHost(server)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length >= 5)
    const sequences = server.heartbeats.map(({ message }) => message.sequence)
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b))
    expect(server.reports).toHaveLength(1)
    expect(server.heartbeats.at(-1)!.message.reported).toBe(sha256Id(server.reports[0]!.body))
  })

  test('a fact that has changed makes a report with reason state_delta at the next interval', async () => {
    const server = await startServer()
    const host = await createHost(server)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length > 0)
    await host.rename('web2')
    const report = await waitFor(() => server.reports[1], { what: 'a second report' })
    expect(report.message).toMatchObject({
      reason: 'state_delta',
      previous: sha256Id(server.reports[0]!.body),
      fingerprint: { software: { hostname: 'web2' } },
    })
  })

  test.each([
    ['/run/current-system', 'run/current-system', storePath('new')],
    ['/run/booted-system', 'run/booted-system', storePath('new')],
    ['the system profile', 'nix/var/nix/profiles/system', 'system-4-link'],
  ])(
    'a change of %s is reported with reason config_change, not waiting for the interval',
    async (...args) => {
      const [, link, target] = args
      const server = await startServer()
      const host = await createHost(server)
      await startAgent(host, server)
      await waitFor(() => server.accepted())
      await replaceLink(join(host.rootfs, 'nix/var/nix/profiles/system-4-link'), storePath('new'))
      await replaceLink(join(host.rootfs, link), target)
      const report = await waitFor(() => server.reports[1], { what: 'a second report' })
      expect(report.message.reason).toBe('config_change')
      expect(report.message.system).not.toEqual(server.reports[0]!.message.system)
    },
  )

  test('a burst of switches makes one report, of the system that is left', async () => {
    const server = await startServer()
    const host = await createHost(server)
    await startAgent(host, server)
    await waitFor(() => server.accepted())
    replaceLinkInBurst(join(host.rootfs, 'run/current-system'), (index) => storePath(`burst-${index}`), 20)
    await waitFor(() => server.reports.length === 2)
    expect(server.reports[1]!.message.system!.current).toBe(storePath('burst-19'))
    await host.switchTo('after')
    await waitFor(() => server.reports.length === 3)
    expect(server.reports[2]!.message.system!.current).toBe(storePath('after'))
  })

  test('the server can set the interval', async () => {
    const server = await startServer()
    server.heartbeatIntervalSecs = 20
    const host = await createHost(server)
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => setTimer.mockRestore())
    await startAgent(host, server, QUICK)
    await waitFor(() => setTimer.mock.calls.some(([, ms]) => ms === 20_000), { what: 'a timer of 20 s' })
  })

  test.each([9, 3601, 60.5, '60'])('an interval of %j in the reply is not obeyed', async (interval) => {
    const server = await startServer()
    const host = await createHost(server)
    const body = JSON.stringify({ state: 'known', heartbeat_interval_secs: interval })
    server.answerAlways('heartbeat', { status: 200, body })
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length >= 5)
  })
})

describe('when the server wants a report', () => {
  test('it gets one with reason requested, at most one for a digest in 10 minutes', async () => {
    const server = await startServer()
    const host = await createHost(server)
    let nowMs = Date.now()
    await startAgent(host, server, { ...QUICK, clock: () => nowMs })
    await waitFor(() => server.heartbeats.length > 0)
    server.answerAlways('heartbeat', { status: 200, body: '{"state":"wanted"}' })
    const report = await waitFor(() => server.reports[1], { what: 'a second report' })
    expect(report.message.reason).toBe('requested')
    const seen = server.heartbeats.length
    await waitFor(() => server.heartbeats.length > seen + 5)
    expect(server.reports).toHaveLength(2)

    await host.rename('web2')
    await waitFor(() => server.reports.length === 4)
    expect(server.reports.map(({ message }) => message.reason).slice(2)).toEqual(['state_delta', 'requested'])

    nowMs += 10 * 60_000
    await waitFor(() => server.reports.length === 5)
    expect(server.reports[4]!.message.reason).toBe('requested')
  })

  test('a spool that is not empty is the answer', async () => {
    const server = await startServer()
    server.answerAlways('state', { status: 502, body: 'Bad Gateway' })
    server.answerAlways('heartbeat', { status: 200, body: '{"state":"wanted"}' })
    const host = await createHost(server)
    await startAgent(host, server, QUICK)
    await waitFor(() => server.heartbeats.length > 5)
    server.answerAlways('heartbeat', null)
    server.answerAlways('state', null)
    const seen = server.heartbeats.length
    await waitFor(() => server.heartbeats.length > seen + 5)
    expect(new Set(server.reports.map(({ message }) => message.reason))).toEqual(new Set(['startup']))
  })

  test('wanting what it has accepted is logged', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const { lines } = await startAgent(host, server, QUICK)
    await waitFor(() => server.accepted())
    server.forget()
    await waitFor(() =>
      lines.some(({ msg }) => msg === 'the server asks for a report it has accepted before'),
    )
    await waitFor(() => server.reports.length === 2)
  })
})

describe('when the machine cannot be looked at', () => {
  test('heartbeats go on with the last digest, and the reason is logged once', async () => {
    const server = await startServer()
    const host = await createHost(server)
    let broken = false
    const { lines } = await startAgent(host, server, {
      ...QUICK,
      collect: async (...args) => {
        if (broken) throw new Error('out of file descriptors')
        return await collectFingerprint(...args)
      },
    })
    await waitFor(() => server.heartbeats.length > 0)
    broken = true
    await waitFor(() => lines.some(({ level }) => level === 'error'))
    const seen = server.heartbeats.length
    await waitFor(() => server.heartbeats.length > seen + 3)
    expect(server.heartbeats.at(-1)!.message).toMatchObject({
      state_digest: stateDigest(server.reports[0]!.message),
      current_system: storePath('25.11.20251120.abc1234'),
    })
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(lines.find(({ level }) => level === 'error')).toMatchObject({
      err: { message: 'out of file descriptors' },
    })
  })

  test('heartbeats go on while a look hangs, and it is not started a second time', async () => {
    const server = await startServer()
    const host = await createHost(server)
    const hanging = Promise.withResolvers<void>()
    let hangs = false
    let looks = 0
    await startAgent(host, server, {
      ...QUICK,
      lookTimeoutMs: 300,
      collect: async (...args) => {
        looks += 1
        if (hangs) await hanging.promise
        return await collectFingerprint(...args)
      },
    })
    await waitFor(() => server.heartbeats.length > 0)
    hangs = true
    const before = looks
    await waitFor(() => looks === before + 1)
    const seen = server.heartbeats.length
    await waitFor(() => server.heartbeats.length > seen + 2)
    expect(looks).toBe(before + 1)
    await host.rename('web2')
    hangs = false
    hanging.resolve()
    await waitFor(() => server.reports.length === 2)
  })

  test('the report of the start is made as soon as it can be', async () => {
    const server = await startServer()
    const host = await createHost(server)
    let calls = 0
    await startAgent(host, server, {
      ...QUICK,
      collect: async (...args) => {
        calls += 1
        if (calls < 3) throw new Error('out of file descriptors')
        return await collectFingerprint(...args)
      },
    })
    const report = await waitFor(() => server.reports[0], { what: 'a report' })
    expect(report.message.reason).toBe('startup')
    expect(server.heartbeats).toHaveLength(0)
  })
})
