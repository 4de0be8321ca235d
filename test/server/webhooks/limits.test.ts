import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createTurns } from '../../../src/server/webhooks/turns.ts'
import { openRaw, sendRaw } from '../../support/raw-http.ts'
import type { TestServer } from '../../support/test-server.ts'
import { createPush, genericPush, githubPush } from './payloads.ts'
import {
  announce,
  clear,
  deliveries,
  followFlake,
  headersOf,
  hex,
  post,
  SECRET,
  startWebhookServer,
} from './support.ts'

const MIB = 1024 * 1024

let server: TestServer
beforeAll(async () => {
  server = await startWebhookServer(undefined, { settings: { trustedProxies: ['127.0.0.1/32'] } })
  await followFlake(server.database.db, 'git+https://git.example.org/yourorg/nixos-configs')
})
beforeEach(() => clear(server))
afterAll(() => server.stop())

/** A signed request in two parts: the head with the beginning of the body, and the rest. */
function rawPush(from: string, body = JSON.stringify(genericPush(createPush()))): [string, string] {
  const lines = [
    'POST /webhook/generic HTTP/1.1',
    `Host: ${server.authority}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `X-Forwarded-For: ${from}`,
    `X-Crystal-Forge-Signature-256: sha256=${hex(SECRET, body)}`,
  ]
  return [`${lines.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`, body.slice(10)]
}

/** A sender that has sent the head and the beginning of its body. */
function beginPush(from: string) {
  const [begin, rest] = rawPush(from)
  const { socket, answer } = openRaw(server.url)
  socket.write(begin)
  onTestFinished(() => void socket.destroy())
  const reply = answer()
  return { reply, finish: () => socket.write(rest), leave: () => socket.destroy() }
}

/** What a promise is at, once the server has answered another request. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const other = fetch(`${server.url}/health/live`).then(() => 'waits')
  return Promise.race([promise.then(() => 'answered'), other])
}

describe('the size of a body', () => {
  test('may be 25 MiB, whatever is in it', async () => {
    const payload = JSON.stringify(githubPush(createPush()))
    const body = payload.padEnd(25 * MIB)
    expect((await post(server, '/webhook/github', headersOf('github', SECRET, body), body)).status).toBe(202)
  })

  test('may not be 26 MiB', async () => {
    const body = Buffer.alloc(26 * MIB, ' ')
    const lines = [
      'POST /webhook/github HTTP/1.1',
      `Host: ${server.authority}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'X-GitHub-Event: push',
      `X-Hub-Signature-256: sha256=${hex(SECRET, body)}`,
    ]
    const reply = await sendRaw(
      server.url,
      Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]),
    )
    expect([reply?.status, reply?.body.type]).toEqual([413, 'urn:crystal-forge:problem:too-large'])
  })
})

describe('webhooks of one address', () => {
  test('are read one at a time', async () => {
    const first = beginPush('192.0.2.1')
    const second = beginPush('192.0.2.1')
    second.finish()
    expect(await stateOf(second.reply)).toBe('waits')
    expect((await announce(server, 'github', createPush())).status).toBe(202)
    expect(await stateOf(second.reply)).toBe('waits')
    first.finish()
    expect((await first.reply)?.status).toBe(202)
    expect((await second.reply)?.status).toBe(202)
  })

  test('do not wait for a sender that has gone', async () => {
    const first = beginPush('192.0.2.1')
    const second = beginPush('192.0.2.1')
    const third = beginPush('192.0.2.1')
    second.leave()
    third.finish()
    expect(await stateOf(third.reply)).toBe('waits')
    first.leave()
    expect((await third.reply)?.status).toBe(202)
  })
})

test('webhooks of all addresses are read eight at a time', async () => {
  const eight = Array.from({ length: 8 }, (_, index) => beginPush(`192.0.2.${index}`))
  for (const each of eight) expect(await stateOf(each.reply)).toBe('waits')
  const ninth = beginPush('198.51.100.1')
  ninth.finish()
  expect(await stateOf(ninth.reply)).toBe('waits')
  eight[3]?.finish()
  expect((await eight[3]?.reply)?.status).toBe(202)
  expect((await ninth.reply)?.status).toBe(202)
})

describe('turns', () => {
  test('are refused when they do not come in time, or too many wait', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 1, waitMs: 20 })
    const first = turns.ask('a')
    await first.hasCome
    const late = turns.ask('b')
    await expect(turns.ask('c').hasCome).rejects.toMatchObject({ problem: 'slow-down', retryAfter: 1 })
    await expect(late.hasCome).rejects.toMatchObject({ problem: 'slow-down', retryAfter: 1 })
    late.end()
    first.end()
    await turns.ask('c').hasCome
  })

  test('come in the order in which they were asked for, but for addresses that have one', async () => {
    const turns = createTurns({ atOnce: 2, waiting: 10, waitMs: 60_000 })
    const order: string[] = []
    const ask = (name: string) => {
      const turn = turns.ask(name.charAt(0))
      void turn.hasCome.then(() => order.push(name))
      return turn
    }
    const [a1, a2, b1, c1] = [ask('a1'), ask('a2'), ask('b1'), ask('c1')]
    await b1.hasCome
    expect(order).toEqual(['a1', 'b1'])
    a1.end()
    await a2.hasCome
    a2.end()
    a2.end()
    await c1.hasCome
    expect(order).toEqual(['a1', 'b1', 'a2', 'c1'])
    c1.end()
    b1.end()
  })
})

const send = (body: string) => post(server, '/webhook/generic', headersOf('generic', SECRET, body), body)
const push = (members: object) => JSON.stringify({ ...genericPush(createPush()), ...members })

describe('a payload that is signed and hostile', () => {
  test.each([
    ['nested a million levels deep', '['.repeat(1_000_000) + ']'.repeat(1_000_000), 422],
    ['objects nested as deep', '{"a":'.repeat(1_000_000) + '1' + '}'.repeat(1_000_000), 422],
    ['nested and never closed', '['.repeat(1_000_000), 400],
    ['no JSON', 'ref=refs/heads/main', 400],
    ['nothing', '', 400],
    ['null', 'null', 422],
    ['a text', '"push"', 422],
    ['a number beyond all numbers', '1e999', 422],
    ['a prototype', `{"__proto__":${push({})}}`, 422],
    ['a constructor', '{"constructor":{"prototype":{"ref":"refs/heads/main"}}}', 422],
    [
      'a repository that is a list',
      push({ repository: ['https://git.example.org/yourorg/nixos-configs'] }),
      422,
    ],
    ['a repository that is a local path with steps', push({ repository: '/srv/../etc' }), 422],
    ['a repository that is an option', push({ repository: '--upload-pack=touch /tmp/x' }), 422],
    ['a ref that is a number', push({ ref: 1 }), 422],
    ['a commit that is an option', push({ after: '--output=/tmp/x' }), 422],
  ])('is refused: %s', async (_what, body, status) => {
    const reply = await send(body)
    const problem = status === 400 ? 'malformed' : 'invalid'
    expect([reply.status, reply.body.type]).toEqual([status, `urn:crystal-forge:problem:${problem}`])
    expect(await deliveries(server.database.db)).toEqual([])
  })

  test('does not break the database with what text cannot hold, or with its length', async () => {
    await followFlake(server.database.db, 'git+https://git.example.org/org/headed', { branch: 'main' })
    const repository = 'https://git.example.org/org/headed'
    for (const ref of [
      'refs/heads/a\0b',
      'refs/heads/\ud800',
      `refs/heads/${'x'.repeat(MIB)}`,
      'refs/heads/--main',
    ]) {
      const reply = await send(push({ repository, ref }))
      expect([reply.status, reply.body.reason]).toEqual([200, 'other_branch'])
    }
    const refs = (await deliveries(server.database.db)).map(({ ref }) => ref)
    expect(refs).toMatchObject([
      'refs/heads/a\ufffdb',
      'refs/heads/\ufffd',
      `refs/heads/${'x'.repeat(989)}`,
      'refs/heads/--main',
    ])
  })
})

describe('headers that nobody sends', () => {
  const body = JSON.stringify(githubPush(createPush()))
  const good = headersOf('github', SECRET, body)
  const typeOf = async (path: string, headers: Record<string, string>) =>
    (await post(server, path, headers, body)).body.type.replace('urn:crystal-forge:problem:', '')

  test('are refused', async () => {
    expect(await typeOf('/webhook', {})).toBe('malformed')
    expect(await typeOf('/webhook/gitlab', good)).toBe('malformed')
    expect(await typeOf('/webhook/bitbucket', good)).toBe('not-found')
    expect(await typeOf('/webhook/github?x=1', good)).toBe('malformed')
    expect(await typeOf('/webhook/github', { ...good, 'X-GitHub-Delivery': 'x'.repeat(201) })).toBe(
      'malformed',
    )
    expect(await typeOf('/webhook/github', { ...good, 'X-GitHub-Delivery': 'two words' })).toBe('malformed')
    expect(await typeOf('/webhook/github', { ...good, 'content-encoding': 'gzip' })).toBe('malformed')
    expect(await typeOf('/webhook/github', { ...good, 'content-type': 'text/plain' })).toBe('unsupported')
    expect(
      await typeOf('/webhook/github', { ...good, 'content-type': 'application/json; charset=utf-16' }),
    ).toBe('unsupported')
    expect(
      await typeOf('/webhook/github', { ...good, 'content-type': 'application/x-www-form-urlencoded' }),
    ).toBe('malformed')
    expect(await deliveries(server.database.db)).toEqual([])
  })

  test('too often are slowed down, but for those that know a secret', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.9' }
    const forged = { ...headersOf('github', 'wrong', body), ...from }
    for (let failure = 0; failure < 120; failure += 1)
      expect(await typeOf('/webhook/github', forged)).toBe('bad-signature')
    const reply = await post(server, '/webhook/github', forged, body)
    expect([reply.status, reply.body.type]).toEqual([429, 'urn:crystal-forge:problem:slow-down'])
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect((await post(server, '/webhook/github', { ...good, ...from }, body)).status).toBe(202)
    expect((await deliveries(server.database.db)).length).toBe(1)
  })
})
