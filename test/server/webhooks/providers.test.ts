import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { PROVIDERS } from '../../../src/server/webhooks/providers.ts'
import type { TestServer } from '../../support/test-server.ts'
import { openRaw } from '../../support/raw-http.ts'
import { COMMIT, createPush, giteaPush, githubPing, githubPush, gitlabPush, ZEROS } from './payloads.ts'
import {
  announce,
  clear,
  deliveries,
  followFlake,
  gitlabSigned,
  headersOf,
  hex,
  post,
  SECRET,
  SIGNING_TOKEN,
  startWebhookServer,
  waiting,
} from './support.ts'

const PUSH = createPush()

let server: TestServer
let flakeId: number
beforeAll(async () => {
  server = await startWebhookServer()
  flakeId = await followFlake(server.database.db, 'git+https://git.example.org/yourorg/nixos-configs', {
    headBranch: 'main',
  })
})
beforeEach(() => clear(server))
afterAll(() => server.stop())

describe.each(PROVIDERS)('a push announced by %s', (provider) => {
  test('asks the flake of its repository for its head, once', async () => {
    const reply = await announce(server, provider, PUSH)
    expect([reply.status, reply.body]).toEqual([
      202,
      { outcome: 'accepted', reason: null, flake_ids: [flakeId] },
    ])
    expect(await waiting(server)).toEqual([{ flakeId }])
  })

  test('is recognised by its headers', async () => {
    expect((await announce(server, provider, PUSH, { path: '/webhook' })).status).toBe(202)
    expect(await deliveries(server.database.db)).toMatchObject([{ provider }])
  })

  test('is recorded', async () => {
    await announce(server, provider, PUSH, { delivery: 'f6266f16-1bf3-46a5-9ea4-602e06ead473' })
    expect(await deliveries(server.database.db)).toMatchObject([
      {
        provider,
        delivery: 'f6266f16-1bf3-46a5-9ea4-602e06ead473',
        repository: 'git.example.org/yourorg/nixos-configs',
        ref: 'refs/heads/main',
        after: COMMIT,
        outcome: 'accepted',
        reason: null,
        flake_ids: [flakeId],
      },
    ])
  })

  test('does nothing when it comes again', async () => {
    await announce(server, provider, PUSH, { delivery: 'one' })
    const again = await announce(server, provider, PUSH, { delivery: 'one' })
    expect([again.status, again.body]).toEqual([
      200,
      { outcome: 'ignored', reason: 'repeated', flake_ids: [] },
    ])
    expect(await deliveries(server.database.db)).toHaveLength(1)
    expect((await announce(server, provider, PUSH, { delivery: 'two' })).status).toBe(202)
  })

  test('does nothing when it is of a tag, of another branch, of a branch that was deleted or of another repository', async () => {
    const reasonOf = async (members: Parameters<typeof createPush>[0]) => {
      const { status, body } = await announce(server, provider, createPush(members))
      return [status, body.reason]
    }
    expect(await reasonOf({ ref: 'refs/tags/v1' })).toEqual([200, 'tag'])
    expect(await reasonOf({ ref: 'refs/tags/v1', after: ZEROS })).toEqual([200, 'tag'])
    expect(await reasonOf({ ref: 'refs/heads/main2' })).toEqual([200, 'other_branch'])
    expect(await reasonOf({ ref: 'refs/heads/feature/main' })).toEqual([200, 'other_branch'])
    expect(await reasonOf({ ref: 'refs/merge-requests/1/head' })).toEqual([200, 'other_branch'])
    expect(await reasonOf({ after: ZEROS })).toEqual([200, 'deleted'])
    expect(await reasonOf({ after: '0'.repeat(64) })).toEqual([200, 'deleted'])
    expect(await reasonOf({ repository: 'yourorg/other' })).toEqual([200, 'unknown_repository'])
    expect(await waiting(server)).toEqual([])
    const outcomes = (await deliveries(server.database.db)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(Array.from({ length: 8 }, () => 'ignored'))
  })

  test('is refused when it does not say of what', async () => {
    for (const members of [
      { ref: '' },
      { after: 'HEAD' },
      { after: COMMIT.toUpperCase() },
      { repository: '' },
    ]) {
      const { status, body } = await announce(server, provider, createPush(members))
      expect([members, status, body.type]).toEqual([members, 422, 'urn:crystal-forge:problem:invalid'])
    }
    expect(await deliveries(server.database.db)).toEqual([])
  })
})

describe.each(['github', 'gitea', 'forgejo'] as const)('%s', (provider) => {
  test('may send other events, which do nothing', async () => {
    const { status, body } = await announce(server, provider, PUSH, { event: 'pull_request' })
    expect([status, body.reason]).toEqual([200, 'not_a_push'])
  })

  test('may send its payload in a form', async () => {
    const payload = JSON.stringify(provider === 'github' ? githubPush(PUSH) : giteaPush(PUSH))
    const body = new URLSearchParams({ payload }).toString()
    // GitHub signs the form; Gitea and Forgejo what is in it
    const headers = headersOf(provider, SECRET, provider === 'github' ? body : payload)
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post(server, `/webhook/${provider}`, form, body)).status).toBe(202)
    const altered = new URLSearchParams({ payload: payload.replace('main', 'evil') }).toString()
    expect((await post(server, `/webhook/${provider}`, form, altered)).status).toBe(401)
    expect(
      (await post(server, `/webhook/${provider}`, form, `${body}&payload=%7B%7D`)).status,
    ).toBeGreaterThan(399)
  })
})

describe('GitHub', () => {
  test("signs as its documentation's example says", async () => {
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    const headers = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': signature }
    const reply = await post(server, '/webhook/github', headers, 'Hello, World!')
    // the signature is right, and then the body is not JSON
    expect([reply.status, reply.body.type]).toEqual([400, 'urn:crystal-forge:problem:malformed'])
    expect((await post(server, '/webhook/github', headers, 'Hello, World?')).status).toBe(401)
  })

  test('pings when a webhook is made', async () => {
    const body = JSON.stringify(githubPing(PUSH))
    const headers = headersOf('github', SECRET, body, { event: 'ping' })
    const reply = await post(server, '/webhook/github', headers, body)
    expect([reply.status, reply.body.reason]).toEqual([200, 'not_a_push'])
  })

  test('is refused with its old signature alone, or with that in place of the new one', async () => {
    const body = JSON.stringify(githubPush(PUSH))
    const { 'X-Hub-Signature-256': _, ...old } = headersOf('github', SECRET, body)
    const reply = await post(server, '/webhook/github', old, body)
    expect([reply.status, reply.body.type]).toEqual([401, 'urn:crystal-forge:problem:unsigned'])
    for (const forged of [
      `sha1=${hex(SECRET, body, 'sha1')}`,
      `sha256=${hex(SECRET, body, 'sha1')}`,
      `sha512=${hex(SECRET, body, 'sha512')}`,
      hex(SECRET, body),
      `sha256=${hex(SECRET, body).toUpperCase()}`,
      `sha256=${hex(SECRET, body)}, sha256=${hex(SECRET, body)}`,
      'sha256=',
    ]) {
      const answer = await post(server, '/webhook/github', { ...old, 'X-Hub-Signature-256': forged }, body)
      expect([forged, answer.body.type]).toEqual([forged, 'urn:crystal-forge:problem:bad-signature'])
    }
    expect(await waiting(server)).toEqual([])
  })
})

describe('GitLab', () => {
  const body = JSON.stringify(gitlabPush(PUSH))

  test('signs as the specification of Standard Webhooks says', async () => {
    // its own example, of which only the time is in the past
    const example = {
      'X-Gitlab-Event': 'Push Hook',
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    const then = await startWebhookServer(undefined, { clock: () => 1_614_265_400_000 })
    try {
      const reply = await post(then, '/webhook/gitlab', example, '{"test": 2432232314}')
      expect([reply.status, reply.body.reason]).toEqual([200, 'not_a_push'])
      expect((await post(then, '/webhook/gitlab', example, '{"test": 2432232315}')).status).toBe(401)
    } finally {
      await then.stop()
    }
    const stale = await post(server, '/webhook/gitlab', example, '{"test": 2432232314}')
    expect([stale.status, stale.body.type]).toEqual([401, 'urn:crystal-forge:problem:stale-signature'])
  })

  test('is heard by the time at which its head came, however long its body takes', async () => {
    let now = Date.now()
    const slow = await startWebhookServer(undefined, { clock: () => now })
    onTestFinished(slow.stop)
    const headers = gitlabSigned(SIGNING_TOKEN, body)
    const sent = { ...headers, Host: 'x', 'Content-Type': 'application/json', 'Content-Length': body.length }
    const { socket, answer } = openRaw(slow.url)
    const arrived = once(slow.http.server, 'request')
    const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`POST /webhook/gitlab HTTP/1.1\r\n${lines.join('')}\r\n`)
    await arrived
    now += 400_000
    socket.write(body)
    expect((await answer())?.body).toMatchObject({ reason: 'unknown_repository' })
    expect((await post(slow, '/webhook/gitlab', headers, body)).body.type).toMatch(/stale-signature$/)
  })

  test('is heard by its signature, of which there may be several', async () => {
    const signed = gitlabSigned(SIGNING_TOKEN, body)
    const other = gitlabSigned(`whsec_${Buffer.from('another secret').toString('base64')}`, body)
    const several = `v1a,xyz ${other['webhook-signature']} ${signed['webhook-signature']}`
    const reply = await post(server, '/webhook/gitlab', { ...signed, 'webhook-signature': several }, body)
    expect(reply.status).toBe(202)
    const { status } = await post(server, '/webhook/gitlab', other, body)
    expect(status).toBe(401)
  })

  test('is refused when what was signed is changed: id, time or body', async () => {
    const signed = gitlabSigned(SIGNING_TOKEN, body)
    const statusOf = async (members: object, sent = body) =>
      (await post(server, '/webhook/gitlab', { ...signed, ...members }, sent)).status
    expect(await statusOf({ 'webhook-id': 'another' })).toBe(401)
    const later = String(Number(signed['webhook-timestamp']) + 1)
    expect(await statusOf({ 'webhook-timestamp': later })).toBe(401)
    expect(await statusOf({}, body.replace('main', 'evil'))).toBe(401)
    expect(await statusOf({ 'webhook-signature': 'v1,' })).toBe(401)
    expect(await statusOf({})).toBe(202)
  })

  test('is refused when it was signed more than 5 minutes ago, or will be', async () => {
    for (const distance of [-310, 310]) {
      const createdSecs = Math.floor(Date.now() / 1000) + distance
      const reply = await post(
        server,
        '/webhook/gitlab',
        gitlabSigned(SIGNING_TOKEN, body, { createdSecs }),
        body,
      )
      expect(reply.body.type).toBe('urn:crystal-forge:problem:stale-signature')
    }
  })

  test('cannot be forged by who knows a signing token from a log of headers, nor by a wrong signature beside a token', async () => {
    const sent = headersOf('gitlab', SIGNING_TOKEN, body)
    expect((await post(server, '/webhook/gitlab', sent, body)).status).toBe(401)
    const both = { ...gitlabSigned('whsec_AAAA', body), 'X-Gitlab-Token': SECRET }
    expect((await post(server, '/webhook/gitlab', both, body)).status).toBe(401)
  })

  test('is heard by its system hooks, whose payload says what happened', async () => {
    const system = { ...headersOf('gitlab', SECRET, body), 'X-Gitlab-Event': 'System Hook' }
    expect((await post(server, '/webhook/gitlab', system, body)).status).toBe(202)
  })

  test('names a delivery by its event where it has no key of its own', async () => {
    const { 'Idempotency-Key': _, ...old } = headersOf('gitlab', SECRET, body)
    expect((await post(server, '/webhook/gitlab', old, body)).status).toBe(202)
    expect((await post(server, '/webhook/gitlab', old, body)).body.reason).toBe('repeated')
  })
})

test('Forgejo may have only the headers of Gitea, as before 1.20', async () => {
  const body = JSON.stringify(giteaPush(PUSH))
  expect((await post(server, '/webhook/forgejo', headersOf('gitea', SECRET, body), body)).status).toBe(202)
})

test('a delivery without a name is taken each time', async () => {
  const body = JSON.stringify({ repository: 'git.example.org/yourorg/nixos-configs', ref: 'refs/heads/main' })
  const headers = { 'X-Crystal-Forge-Signature-256': `sha256=${hex(SECRET, body)}` }
  for (let time = 0; time < 2; time += 1)
    expect((await post(server, '/webhook/generic', headers, body)).status).toBe(202)
  expect(await deliveries(server.database.db)).toMatchObject([{ delivery: null }, { delivery: null }])
})
