import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import { createLogger } from '../../../src/lib/log.ts'
import { createApp } from '../../../src/server/app.ts'
import { createVerifier } from '../../../src/server/ed25519.ts'
import { createJobQueue, SYNC_FLAKE } from '../../../src/store/job-queue.ts'
import { applyRetention } from '../../../src/store/retention.ts'
import { SETTINGS } from '../../support/entries.ts'
import type { TestServer } from '../../support/test-server.ts'
import { createPush } from './payloads.ts'
import {
  announce,
  clear,
  deliveries,
  followFlake,
  SECRET,
  startWebhookServer,
  waiting,
  webhookSecrets,
} from './support.ts'

let server: TestServer
let flakeId: number
beforeAll(async () => {
  server = await startWebhookServer()
  flakeId = await followFlake(server.database.db, 'git+https://git.example.org/yourorg/nixos-configs')
})
/** What a test opened beside the server. */
const closing: (() => Promise<void>)[] = []
beforeEach(() => clear(server))
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})
afterAll(() => server.stop())

/** Runs `act` so often, some at a time. */
async function many(times: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let index = next++; index < times; index = next++) await act(index)
  }
  await Promise.all(Array.from({ length: 20 }, lane))
}

describe('a storm of webhooks', () => {
  test('makes one sync wait and one run', async () => {
    const queue = createJobQueue({ connection: server.connection, log: createLogger({ level: 'silent' }) })
    await queue.start()
    closing.push(queue.stop)
    const statuses = new Map<number, number>()
    const push = async () => {
      const { status } = await announce(server, 'github', createPush())
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    await many(500, push)
    const [running] = await queue.boss.fetch(SYNC_FLAKE)
    expect(running?.data).toEqual({ flakeId })
    await many(500, push)
    expect([...statuses]).toEqual([[202, 1000]])
    expect(await waiting(server)).toEqual([{ flakeId }])
    const states = (await queue.boss.findJobs(SYNC_FLAKE)).map(({ state }) => state)
    expect(states.toSorted()).toEqual(['active', 'created'])
    expect(await deliveries(server.database.db)).toHaveLength(1000)
  }, 120_000)

  test('of one delivery is taken once, by whichever of two servers', async () => {
    const queue = createJobQueue({ connection: server.connection, log: createLogger({ level: 'silent' }) })
    await queue.start()
    closing.push(queue.stop)
    let syncs = 0
    const jobs = {
      ...queue.requests,
      syncFlake: async (id: number) => {
        syncs += 1
        await queue.requests.syncFlake(id)
      },
    }
    const log = createLogger({ level: 'silent' })
    const settings = { ...SETTINGS, webhookSecrets: webhookSecrets([SECRET]) }
    const context = { db: server.database.db, settings, clock: systemClock, log, jobs }
    const apps = await Promise.all(
      [1, 2].map(() => createApp(context, { verify: createVerifier(), version: 'test' })),
    )
    closing.push(async () => {
      for (const { http } of apps) await http.close()
    })
    const urls = await Promise.all(apps.map(({ http }) => http.listen({ host: '127.0.0.1', port: 0 })))
    const replies: string[] = []
    await many(60, async (index) => {
      const url = urls[index % 2] ?? ''
      const { body } = await announce({ url }, 'forgejo', createPush(), { delivery: 'the-same' })
      replies.push(body.reason ?? body.outcome)
    })
    expect(replies.filter((each) => each === 'accepted')).toHaveLength(1)
    expect(replies.filter((each) => each === 'repeated')).toHaveLength(59)
    expect(syncs).toBe(1)
  })
})

test('a delivery whose flakes could not be asked for is not recorded, so that it can be sent again', async () => {
  await waiting(server)
  await sql`alter table pgboss.job_common rename to job_away`.execute(server.database.db)
  const failed = await announce(server, 'github', createPush(), { delivery: 'one' })
  expect(failed.status).toBe(500)
  expect(await deliveries(server.database.db)).toEqual([])
  await sql`alter table pgboss.job_away rename to job_common`.execute(server.database.db)
  const again = await announce(server, 'github', createPush(), { delivery: 'one' })
  expect([again.status, await waiting(server)]).toEqual([202, [{ flakeId }]])
})

describe('GET /webhook-deliveries', () => {
  test('shows them in pages, newest first, to viewers', async () => {
    for (const [delivery, ref] of [
      ['d1', 'refs/heads/main'],
      ['d2', 'refs/tags/v1'],
      ['d3', 'refs/heads/main'],
    ] as const)
      await announce(server, 'github', createPush({ ref }), { delivery })
    const token = await server.createToken('viewer')
    const first = await server.api('GET', '/webhook-deliveries?limit=2', { token })
    expect(first.body).toMatchObject({
      deliveries: [
        { provider: 'github', delivery: 'd3', outcome: 'accepted', reason: null, flake_ids: [flakeId] },
        { delivery: 'd2', outcome: 'ignored', reason: 'tag', ref: 'refs/tags/v1', flake_ids: [] },
      ],
      next: expect.stringMatching(/^\d+$/),
    })
    const rest = await server.api('GET', `/webhook-deliveries?after=${first.body.next}`, { token })
    expect(rest.body).toMatchObject({ deliveries: [{ delivery: 'd1' }], next: null })
    expect((await server.api('GET', '/webhook-deliveries', { token: null })).status).toBe(401)
    expect((await server.api('GET', '/webhook-deliveries?after=x')).status).toBe(422)
  })

  test('has nothing of those that were refused', async () => {
    await announce(server, 'github', createPush(), { secret: 'wrong' })
    expect((await server.api('GET', '/webhook-deliveries')).body).toEqual({ deliveries: [], next: null })
  })
})

test('they are kept for 90 days', async () => {
  for (const delivery of ['old', 'young']) await announce(server, 'github', createPush(), { delivery })
  await sql`update webhook_deliveries set received_at = now() - interval '91 days' where delivery = 'old'`.execute(
    server.database.db,
  )
  await sql`update webhook_deliveries set received_at = now() - interval '89 days' where delivery = 'young'`.execute(
    server.database.db,
  )
  await applyRetention(server.database.db, {
    reportsMs: 1e12,
    onlinePeriodsMs: 1e12,
    eventsMs: 1e12,
    auditMs: 1e12,
    historyMs: 1e12,
  })
  expect(await deliveries(server.database.db)).toMatchObject([{ delivery: 'young' }])
})

test('refusals are counted by path and problem', async () => {
  await announce(server, 'github', createPush(), { secret: 'wrong' })
  await announce(server, 'github', createPush())
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${server.adminToken}` },
  })
  const text = await response.text()
  const requests = 'crystal_forge_http_requests_total{route="/webhook/github",method="POST",result='
  expect(text).toContain(`${requests}"bad-signature"} `)
  expect(text).toContain(`${requests}"ok"} `)
})
