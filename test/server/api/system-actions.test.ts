import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBase64, keyId } from '../../../src/protocol/keys.ts'
import { reconcile } from '../../../src/store/reconcile.ts'
import { createTestAgent, newKey, registerTestAgent, type TestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

let count = 0
const freshAgent = (): Promise<TestAgent> => registerTestAgent(server, { hostname: `host${(count += 1)}` })
const call = (method: string, path: string, body?: object) =>
  server.api(method, path, body === undefined ? {} : { body })
const get = async (path: string) => (await call('GET', path)).body
const problem = (name: string) => `urn:crystal-forge:problem:${name}`

describe('archiving', () => {
  test('refuses the keys, keeps the evidence, and can be undone', async () => {
    const agent = await freshAgent()
    await agent.report()
    const path = `/systems/${agent.hostname}`
    expect((await call('PUT', `${path}/archived`)).status).toBe(204)
    expect(await agent.heartbeat()).toMatchObject({ status: 403, body: { type: problem('revoked-key') } })
    expect(await get(path)).toMatchObject({
      registration: 'archived',
      archived_at: expect.any(String),
      report_id: agent.reported,
    })
    expect((await get(`/reports/${agent.reported}`)).hostname).toBe(agent.hostname)
    expect((await get('/systems')).systems).not.toContainEqual(
      expect.objectContaining({ hostname: agent.hostname }),
    )
    expect((await get('/systems?registration=archived')).systems).toContainEqual(
      expect.objectContaining({ hostname: agent.hostname }),
    )
    expect((await call('DELETE', `${path}/archived`)).status).toBe(204)
    expect((await agent.heartbeat()).status).toBe(200)
    expect(await get(path)).toMatchObject({ registration: 'active', archived_at: null })
  })

  test('twice keeps the time of the first', async () => {
    const { hostname } = await freshAgent()
    await call('PUT', `/systems/${hostname}/archived`)
    const { archived_at: first } = await get(`/systems/${hostname}`)
    expect((await call('PUT', `/systems/${hostname}/archived`)).status).toBe(204)
    expect((await get(`/systems/${hostname}`)).archived_at).toBe(first)
  })

  test('leaves the system out of the counts', async () => {
    const before = await get('/fleet/summary')
    const agent = await freshAgent()
    await agent.report()
    const during = await get('/fleet/summary')
    expect([during.systems, during.flags.reboot_needed]).toEqual([
      before.systems + 1,
      before.flags.reboot_needed + 1,
    ])
    await call('PUT', `/systems/${agent.hostname}/archived`)
    expect(await get('/fleet/summary')).toEqual(before)
  })
})

const enrollWaiting = async () => {
  const { body } = await call('POST', '/enroll-tokens', { name: 'x', uses: 2, needs_approval: true })
  const first = createTestAgent(server, { hostname: `waits${(count += 1)}` })
  const second = createTestAgent(server, { hostname: first.hostname })
  for (const agent of [first, second]) expect((await agent.enroll(body.token)).status).toBe(202)
  return { first, second, path: `/systems/${first.hostname}` }
}

describe('approving', () => {
  test('lets one key in and leaves the other waiting', async () => {
    const { first, second, path } = await enrollWaiting()
    expect(await first.report()).toMatchObject({ status: 403, body: { type: problem('pending-approval') } })
    const reply = await call('POST', `${path}/approve`, { key_id: first.key.id })
    expect([reply.status, reply.body]).toEqual([200, { approved: [first.key.id] }])
    expect((await first.report()).status).toBe(200)
    expect((await second.report()).status).toBe(403)
    expect((await get('/keys?status=pending')).keys.map(({ id }: { id: string }) => id)).toEqual([
      second.key.id,
    ])
    expect((await call('POST', `${path}/approve`)).body).toEqual({ approved: [second.key.id] })
  })

  test('what does not wait is a conflict, also a key that another system has', async () => {
    const { path } = await enrollWaiting()
    const other = await enrollWaiting()
    expect((await call('POST', `${path}/approve`, { key_id: other.first.key.id })).status).toBe(409)
    expect((await call('POST', `${path}/approve`, { key_id: "x' or true --" })).status).toBe(409)
    expect((await call('POST', `${path}/approve`, { key: other.first.key.id })).status).toBe(422)
    expect((await call('POST', `${path}/approve`)).status).toBe(200)
    expect((await call('POST', `${path}/approve`)).status).toBe(409)
    await call('POST', `${other.path}/approve`)
  })
})

describe('acknowledging', () => {
  test('takes a flag down that stays, until it is raised again', async () => {
    const agent = await freshAgent()
    await agent.report()
    const unknown = `sha256:${'9'.repeat(64)}`
    await agent.report({ previous: unknown })
    const path = `/systems/${agent.hostname}`
    const flags = async () => (await get(path)).flags.map(({ flag }: { flag: string }) => flag)
    expect(await flags()).toContain('chain_broken')
    await agent.report()
    expect(await flags()).toContain('chain_broken')
    expect((await call('DELETE', `${path}/flags/chain_broken`)).status).toBe(204)
    expect(await flags()).not.toContain('chain_broken')
    expect((await call('DELETE', `${path}/flags/chain_broken`)).status).toBe(404)
    await agent.report({ previous: unknown })
    expect(await flags()).toContain('chain_broken')
  })

  test('a flag that ends by itself stays up', async () => {
    const agent = await freshAgent()
    await agent.report()
    const path = `/systems/${agent.hostname}`
    const reply = await call('DELETE', `${path}/flags/reboot_needed`)
    expect(reply).toMatchObject({ status: 409, body: { detail: expect.stringContaining('by itself') } })
    expect((await get(path)).flags).toMatchObject([{ flag: 'reboot_needed' }])
    expect((await call('DELETE', `${path}/flags/no_such_flag`)).status).toBe(422)
  })
})

describe('keys', () => {
  test('rotate: add, report with the new one, revoke the old one', async () => {
    const agent = await freshAgent()
    await agent.report()
    const path = `/systems/${agent.hostname}/keys`
    const key = newKey()
    const added = await call('POST', path, { public_key: encodeBase64(key.publicKey) })
    expect([added.status, added.body]).toEqual([201, { key_id: keyId(key.publicKey) }])
    expect((await agent.report({}, { key })).status).toBe(200)
    expect((await call('DELETE', `${path}/${agent.key.id}`)).status).toBe(204)
    expect(await agent.heartbeat()).toMatchObject({ status: 403, body: { type: problem('revoked-key') } })
    expect((await agent.heartbeat({}, { key })).status).toBe(200)
    expect((await get(path)).keys).toMatchObject([
      { id: agent.key.id, status: 'revoked', revoked_at: expect.any(String) },
      { id: key.id, status: 'active', revoked_at: null },
    ])
  })

  test('a revoked key never works again, and revoking it again keeps the time', async () => {
    const agent = await freshAgent()
    const path = `/systems/${agent.hostname}/keys`
    await call('DELETE', `${path}/${agent.key.id}`)
    const before = await get(path)
    expect((await call('DELETE', `${path}/${agent.key.id}`)).status).toBe(204)
    expect(await get(path)).toEqual(before)
    expect(await call('POST', path, { public_key: agent.publicKey })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('revoked') },
    })
  })

  test('stay with their system', async () => {
    const [one, other] = [await freshAgent(), await freshAgent()]
    const reply = await call('POST', `/systems/${one.hostname}/keys`, { public_key: other.publicKey })
    expect(reply).toMatchObject({ status: 409, body: { detail: expect.stringContaining('another system') } })
    expect((await call('DELETE', `/systems/${one.hostname}/keys/${other.key.id}`)).status).toBe(404)
    expect((await other.heartbeat()).status).toBe(200)
  })

  test.each(['', 'xx', encodeBase64(Buffer.alloc(32)), encodeBase64(Buffer.alloc(31, 7)), 'A'.repeat(65)])(
    'that no private key can belong to are refused: %s',
    async (text) => {
      const { hostname } = await freshAgent()
      const reply = await call('POST', `/systems/${hostname}/keys`, { public_key: text })
      expect([reply.status, reply.body.errors[0].path]).toEqual([422, '/body/public_key'])
      expect((await get(`/systems/${hostname}/keys`)).keys).toHaveLength(1)
    },
  )
})

describe('what a configuration declares', () => {
  const key = newKey()

  beforeAll(() =>
    reconcile(server.database.db, {
      flakes: [],
      systems: [
        {
          hostname: 'declared1',
          environment: 'production',
          flakeUrl: null,
          configuration: 'declared1',
          pinnedPath: null,
          keys: [key],
        },
      ],
    }),
  )

  test.each([
    ['PUT', '/systems/declared1/archived'],
    ['DELETE', '/systems/Declared1/archived'],
    ['POST', '/systems/declared1/keys', { public_key: encodeBase64(newKey().publicKey) }],
  ])('is not changed: %s %s', async (method, path, body?: object) => {
    const before = [await get('/systems/declared1'), await get('/systems/declared1/keys')]
    expect(await call(method, path, body)).toMatchObject({
      status: 403,
      body: {
        type: problem('read-only'),
        detail: "declared1 is declared in the server's configuration; change it there",
      },
    })
    expect([await get('/systems/declared1'), await get('/systems/declared1/keys')]).toEqual(before)
  })

  test('is not registered a second time', async () => {
    expect((await call('POST', '/systems', { hostname: 'DECLARED1' })).status).toBe(409)
  })

  test('can lose a key: only an operator revokes', async () => {
    expect((await call('DELETE', `/systems/declared1/keys/${key.id}`)).status).toBe(204)
    expect((await get('/systems/declared1/keys')).keys).toMatchObject([{ declared: true, status: 'revoked' }])
  })
})

test('nothing is done to a system that is not there', async () => {
  for (const [method, path, body] of [
    ['POST', '/approve'],
    ['PUT', '/archived'],
    ['DELETE', '/archived'],
    ['DELETE', '/flags/chain_broken'],
    ['GET', '/keys'],
    ['GET', '/reports'],
    ['POST', '/keys', { public_key: encodeBase64(newKey().publicKey) }],
    ['DELETE', '/keys/x'],
  ] as const)
    expect(await call(method, `/systems/nobody${path}`, body)).toMatchObject({
      status: 404,
      body: { type: problem('not-found'), detail: 'there is no system nobody' },
    })
})

test('keys of all systems are found by part of the host name, the newest first, and page by page', async () => {
  const { first, second } = await enrollWaiting()
  const part = first.hostname.toUpperCase()
  const page = await get(`/keys?text=${part}&status=pending&limit=1`)
  expect(page.keys.map(({ id }: { id: string }) => id)).toEqual([second.key.id])
  const rest = await get(`/keys?text=${part}&status=pending&limit=1&after=${page.next}`)
  expect([rest.keys.map(({ id }: { id: string }) => id), rest.next]).toEqual([[first.key.id], null])
  expect((await get('/keys?text=nobody')).keys).toEqual([])
  expect((await get(`/keys?text=${part}&after=unknown`)).keys).toEqual([])
})
