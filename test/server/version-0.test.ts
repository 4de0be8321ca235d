import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { databaseContent } from '../support/database-content.ts'
import { STORE_PATH } from '../support/messages.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'
import { createTestAgent, newKey, type TestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { waitFor } from '../support/wait.ts'
import { createVersion0Agent, VERSION_0_MESSAGE, type Version0Path } from '../support/version-0-agent.ts'

let server: TestServer
let view: StoreView
let hostname: string
/** The same host and key, should it speak version 1. */
let version1: TestAgent
let send: ReturnType<typeof createVersion0Agent>
let count = 0

beforeAll(async () => {
  server = await startTestServer({ settings: { acceptVersion0: true } })
  view = createStoreView(server.database.db)
})
afterAll(() => server.stop())
beforeEach(async () => {
  hostname = `host${(count += 1)}`
  const key = newKey()
  version1 = createTestAgent(server, { hostname, key })
  await server.api('POST', '/systems', { body: { hostname, public_keys: [version1.publicKey] } })
  send = createVersion0Agent(server, hostname, key)
})

const PATHS: Version0Path[] = ['/agent/heartbeat', '/agent/state', '/system_state']
const system = async () => {
  const { rows } = await sql<{ systemId: number }>`select id as "systemId" from systems
    where hostname = ${hostname}`.execute(server.database.db)
  const [row] = rows
  if (row === undefined) throw new Error(`there is no system ${hostname}`)
  return row
}
const reports = async () => view.reports(await system())
const shown = async () => (await server.api('GET', `/systems/${hostname}`)).body

const refusedAs = (problem: string) => ({ body: { type: `urn:crystal-forge:problem:${problem}` } })

/** Sends what has to be refused, and makes sure that nothing was stored. */
async function expectRefused(problem: string, request: () => ReturnType<typeof send>) {
  const before = await databaseContent(server.database.db)
  const reply = await request()
  expect(reply).toMatchObject(refusedAs(problem))
  expect(await databaseContent(server.database.db)).toEqual(before)
  return reply
}

const at = (offsetMs: number) => ({ timestamp: new Date(Date.now() + offsetMs).toISOString() })

describe('version 0', () => {
  test.each(PATHS)('is served on %s, without a Content-Type', async (path) => {
    expect(await send(path)).toMatchObject({ status: 200 })
    expect(await shown()).toMatchObject({ protocol: 0, liveness: 'online' })
  })

  test.each(['application/json', 'text/plain;charset=UTF-8', 'application/octet-stream'])(
    'is served with the Content-Type %s too',
    async (type) => {
      expect((await send('/agent/state', {}, { headers: { 'content-type': type } })).status).toBe(200)
    },
  )

  test('is not served unless the setting says so', async () => {
    const other = await startTestServer()
    onTestFinished(other.stop)
    await other.api('POST', '/systems', { body: { hostname, public_keys: [version1.publicKey] } })
    const there = createVersion0Agent(other, hostname, version1.key)
    const before = await databaseContent(other.database.db)
    expect(await there('/agent/heartbeat')).toMatchObject({ status: 401, ...refusedAs('unsigned') })
    expect(await there('/agent/state')).toMatchObject({ status: 401, ...refusedAs('unsigned') })
    expect(await there('/system_state')).toMatchObject({ status: 404, ...refusedAs('not-found') })
    expect(await databaseContent(other.database.db)).toEqual(before)
  })

  test('gets the replies that its agents know', async () => {
    expect((await send('/agent/state')).body).toEqual({})
    expect((await send('/agent/heartbeat')).body).toEqual({ desired_target: null })
    expect((await send('/agent/heartbeat', { kernel: '6.18.0' })).body).toEqual({ desired_target: null })
    expect((await send('/system_state')).body).toEqual({})
  })

  test('has a heartbeat interval of 600 s: 20 minutes of silence are nothing', async () => {
    await send('/agent/heartbeat')
    await view.age(await system(), 20 * 60)
    expect(await shown()).toMatchObject({ interval_secs: 600, liveness: 'online' })
    await view.age(await system(), 15 * 60)
    expect(await shown()).toMatchObject({ liveness: 'late' })
    await send('/agent/heartbeat')
    await view.age(await system(), 101 * 60)
    expect(await shown()).toMatchObject({ liveness: 'offline' })
  })
})

describe('what a message says', () => {
  test('becomes the facts that version 1 has', async () => {
    await send('/agent/state')
    expect(await shown()).toMatchObject({
      current_system: STORE_PATH,
      fingerprint: {
        hardware: { memory_bytes: Math.round(31_979.5 * 1024 * 1024), cpu: { cores: 16 } },
        software: { hostname, kernel_release: '6.12.8', nixos_version: '25.11', agent_version: '0.1.0' },
        network: { primary: { address: '192.0.2.7' }, gateways: ['192.0.2.1'] },
        security: { tpm: { present: true }, secure_boot: false, fips: null },
      },
      flags: [],
    })
  })

  test('may have store_path instead of derivation_path, fields of later agents, and leave others out', async () => {
    const { derivation_path: path, fips_mode: _fips, nixos_version: _version, ...rest } = VERSION_0_MESSAGE
    const reply = await send('/agent/state', {
      ...Object.fromEntries(Object.keys(VERSION_0_MESSAGE).map((name) => [name, undefined])),
      ...rest,
      hostname,
      timestamp: new Date().toISOString(),
      store_path: path,
      agent_compatible: true,
      partial_data: ['x'],
    })
    expect(reply.status).toBe(200)
    expect(await shown()).toMatchObject({ current_system: STORE_PATH })
  })

  test('is the same state with the interfaces as JSON and as a text that holds JSON', async () => {
    await send('/agent/state')
    await send('/agent/heartbeat', { network_interfaces: JSON.parse(VERSION_0_MESSAGE.network_interfaces) })
    expect(await reports()).toHaveLength(1)
  })

  test('is refused with the place where it is wrong', async () => {
    const reply = await expectRefused('invalid', () => send('/agent/state', { cpu_cores: 'many' }))
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ path: '/cpu_cores' }] } })
  })

  test('has the size limits of its path', async () => {
    await expectRefused('too-large', () => send('/agent/heartbeat', { id: 'x'.repeat(16 * 1024) }))
    expect((await send('/agent/state', { id: 'x'.repeat(16 * 1024) })).status).toBe(200)
  })
})

describe('a heartbeat', () => {
  test('with the state that is known stores no report', async () => {
    await send('/agent/state')
    await send('/agent/heartbeat', { change_reason: 'heartbeat', uptime_secs: 90_000.5 })
    await send('/agent/heartbeat', { change_reason: 'heartbeat', uptime_secs: null })
    expect(await reports()).toHaveLength(1)
  })

  test('that carries a changed state is a report, whatever it calls itself', async () => {
    await send('/agent/state')
    const { sent } = await send('/agent/heartbeat', { change_reason: 'heartbeat', kernel: '6.18.0' })
    expect(await reports()).toMatchObject([
      { reason: 'startup', path: '/agent/state' },
      { reason: 'state_delta', path: '/agent/heartbeat', body: sent, chain: 'unchained', protocol: 0 },
    ])
    expect(await shown()).toMatchObject({ fingerprint: { software: { kernel_release: '6.18.0' } } })
  })

  test('that is the first message is a report', async () => {
    await send('/agent/heartbeat', { change_reason: 'heartbeat' })
    expect(await reports()).toHaveLength(1)
  })
})

describe('a report', () => {
  test('is stored though nothing changed: a start is an event', async () => {
    await send('/agent/state')
    await send('/agent/state', { change_reason: 'startup' })
    expect(await reports()).toHaveLength(2)
    expect(await shown()).toMatchObject({ flags: [] })
  })

  test('is kept with its bytes and its signature, which can be checked again', async () => {
    const { sent } = await send('/system_state')
    const [row] = await reports()
    expect(row).toMatchObject({
      body: sent,
      method: 'POST',
      authority: server.authority,
      path: '/system_state',
      content_digest: null,
      signature_input: null,
      key_id: version1.key.id,
    })
    const signature = Buffer.from(row?.signature ?? '', 'base64')
    expect(verifyWithNode(version1.key.publicKey, row?.body ?? Buffer.alloc(0), signature)).toBe(true)
  })
})

describe('who speaks version 0', () => {
  test('names the host, in any case; the key has to be one of its own', async () => {
    expect((await send('/agent/state', {}, { keyId: hostname.toUpperCase() })).status).toBe(200)
    const strange = await expectRefused('bad-signature', () => send('/agent/state', {}, { key: newKey() }))
    const unknown = await expectRefused('bad-signature', () =>
      send('/agent/state', {}, { keyId: 'nobody-here' }),
    )
    expect([strange.status, unknown.status]).toEqual([401, 401])
    expect(unknown.body).toEqual(strange.body)
  })

  test('may use any key of the system while it is rotated', async () => {
    const second = newKey()
    await server.api('POST', `/systems/${hostname}/keys`, {
      body: { public_key: encodeBase64(second.publicKey) },
    })
    expect((await send('/agent/state', {}, { key: second })).status).toBe(200)
    expect((await send('/agent/state')).status).toBe(200)
  })

  test('signs the raw body', async () => {
    const body = JSON.stringify({ ...VERSION_0_MESSAGE, hostname, timestamp: new Date().toISOString() })
    await expectRefused('bad-signature', () => send('/agent/state', {}, { sentBody: `${body} ` }))
  })

  test.each([
    { name: 'no host', given: { keyId: '' }, problem: 'unsigned' },
    {
      name: 'a signature that is no base64',
      given: { headers: { 'x-signature': '%' } },
      problem: 'malformed',
    },
    {
      name: 'a signature of 63 bytes',
      given: { headers: { 'x-signature': Buffer.alloc(63).toString('base64') } },
      problem: 'malformed',
    },
  ])('is refused with $name', async ({ given, problem }) => {
    await expectRefused(problem, () => send('/agent/state', {}, given))
  })

  test('may only speak for the system of the key', async () => {
    const other = `other-of-${hostname}`
    await server.api('POST', '/systems', { body: { hostname: other } })
    for (const name of [other, 'nobody'])
      for (const path of PATHS)
        expect(
          await expectRefused('wrong-host', () => send(path, { hostname: name }, { keyId: hostname })),
        ).toMatchObject({ status: 403 })
    expect((await send('/agent/state', { hostname: hostname.toUpperCase() })).status).toBe(200)
  })

  test.each([
    { status: 'revoked', problem: 'revoked-key' },
    { status: 'pending', problem: 'pending-approval' },
    { status: 'inactive', problem: 'bad-signature' },
  ])('is refused with a key that is $status', async ({ status, problem }) => {
    await send('/agent/state')
    await sql`update keys set status = ${status},
      revoked_at = case ${status} when 'revoked' then now() end where id = ${version1.key.id}`.execute(
      server.database.db,
    )
    for (const path of PATHS) await expectRefused(problem, () => send(path))
    await expectRefused(problem, () => send('/agent/state', { cpu_cores: 'many' }))
  })

  test('is refused when the system is archived', async () => {
    await server.api('PUT', `/systems/${hostname}/archived`)
    for (const path of PATHS) await expectRefused('revoked-key', () => send(path))
  })
})

test('a host that sends without end is told to slow down', async () => {
  const { db } = server.database
  const { sent, slowedDown } = await db.transaction().execute(async (transaction) => {
    await sql`select from contacts for update`.execute(transaction)
    const refused: object[] = []
    const all = Array.from({ length: 12 }, async () => {
      const reply = await send('/agent/state')
      if (reply.status === 429) refused.push(reply)
      return reply
    })
    // one is being written and four wait for it
    await waitFor(() => refused.length >= 7, { what: 'refusals' })
    return { sent: all, slowedDown: refused.length }
  })
  expect(slowedDown).toBe(7)
  const replies = await Promise.all(sent)
  for (const reply of replies.filter(({ status }) => status === 429))
    expect(reply).toMatchObject(refusedAs('slow-down'))
  const accepted = replies.filter(({ status }) => status === 200)
  expect(accepted.length).toBeGreaterThan(0)
  expect(await reports()).toHaveLength(accepted.length)
})

describe('a timestamp', () => {
  test.each([-298_000, 298_000])('is fresh %d ms from now', async (offset) => {
    expect((await send('/agent/state', at(offset))).status).toBe(200)
  })

  test.each([-302_000, 302_000])('is stale %d ms from now', async (offset) => {
    for (const path of PATHS) await expectRefused('stale-signature', () => send(path, at(offset)))
  })

  test('has to be newer than the last accepted one, on whichever path that came', async () => {
    const older = at(-2000)
    const first = at(-1000)
    await send('/agent/state', first)
    for (const path of PATHS) {
      const again = await expectRefused('replayed', () => send(path, first))
      expect(again).toMatchObject({ status: 409, body: { last_sequence: Date.parse(first.timestamp) } })
      await expectRefused('replayed', () => send(path, { ...older, kernel: '6.18.0' }))
    }
    const second = at(-500)
    await send('/agent/heartbeat', second)
    for (const path of PATHS) await expectRefused('replayed', () => send(path, second))
    expect((await send('/agent/state', at(-100))).status).toBe(200)
  })

  test('is accepted once when a captured message comes many times at once', async () => {
    const message = at(0)
    const paths: Version0Path[] = [...PATHS, '/agent/state']
    const replies = await Promise.all(paths.map((path) => send(path, message)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(3)
    expect(await reports()).toHaveLength(1)
  })
})

/** The host after its upgrade: its sequences begin with the time. */
const upgraded = () => createTestAgent(server, { hostname, key: version1.key })

describe('a system that has spoken version 1', () => {
  test.each(['heartbeat', 'report'] as const)('by a %s can no longer speak version 0', async (kind) => {
    await send('/agent/state')
    version1 = upgraded()
    expect((await version1[kind]()).status).toBe(200)
    for (const path of PATHS)
      expect(await expectRefused('forbidden', () => send(path))).toMatchObject({ status: 403 })
    expect((await version1.heartbeat()).status).toBe(200)
    expect(await shown()).toMatchObject({ protocol: 1, interval_secs: 60 })
  })

  test('starts its chain with its first report, and nothing looks broken', async () => {
    await send('/agent/state')
    version1 = upgraded()
    await version1.heartbeat()
    await version1.report()
    expect((await reports()).map((row) => row.chain)).toEqual(['unchained', 'start'])
    expect((await shown()).flags.map((flag: { flag: string }) => flag.flag)).toEqual(['reboot_needed'])
  })

  test('is not held to its word by requests that were refused', async () => {
    await version1.heartbeat({}, { key: newKey() })
    await version1.heartbeat({ sequence: 0 })
    expect((await send('/agent/state')).status).toBe(200)
  })
})

test('a version 1 agent is served as such beside the others, and has no use for /system_state', async () => {
  expect(
    (await version1.heartbeat({}, { headers: { 'x-signature': 'x', 'x-key-id': hostname } })).status,
  ).toBe(200)
  expect(await version1.send('/system_state', {})).toMatchObject({ status: 404, ...refusedAs('not-found') })
})
