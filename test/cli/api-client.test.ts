import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createApiClient, ApiError } from '../../src/cli/api-client.ts'
import { createApi } from '../../src/cli/api.ts'
import { explainError } from '../../src/lib/errors.ts'
import { Secret } from '../../src/lib/secret.ts'
import { startTestServer } from '../support/test-server.ts'

const TOKEN = 'cfa_the-text-of-a-token'

/** Answers every request with `listener`, until the test is over. */
async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return new URL(`http://127.0.0.1:${portOf(server)}`)
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

const answering = (status: number, headers: Record<string, string>, body = '') =>
  serve((_request, response) => response.writeHead(status, headers).end(body))

const client = (url: URL, token: string | null = TOKEN, send?: typeof fetch) =>
  createApiClient({
    url,
    token: token === null ? null : new Secret(token),
    ...(send !== undefined && { fetch: send }),
  })

/** What a person reads; it never has the token. */
async function refusalOf(url: URL, token: string | null = TOKEN): Promise<string> {
  const error: unknown = await client(url, token)
    .request('GET', '/systems', { expect: ['systems'] })
    .then(
      () => new Error('it was answered'),
      (reason: unknown) => reason,
    )
  const text = explainError(error)
  expect(text).not.toContain(TOKEN)
  return text.replaceAll(url.href, 'URL/')
}

test('a server that does not listen is named, with what to check', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const port = portOf(closed)
  closed.close()
  expect(await refusalOf(new URL(`http://127.0.0.1:${port}`))).toBe(
    `cannot reach URL/ (connect ECONNREFUSED 127.0.0.1:${port}): check CRYSTAL_FORGE_URL or --url, that the ` +
      'server runs, and that no firewall is between',
  )
})

test('a name without an address is told from a server that is down', async () => {
  expect(await refusalOf(new URL('http://no-such-host.invalid'))).toMatch(
    /^cannot reach URL\/ \(getaddrinfo E.*\): its name has no address: check CRYSTAL_FORGE_URL or --url$/,
  )
})

test('a certificate that is not trusted is told from a server that is down', async () => {
  const tls = join(import.meta.dirname, '../support/tls')
  const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((name) => readFile(join(tls, name))))
  const server = createTlsServer({ cert, key }, (_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  expect(await refusalOf(new URL(`https://127.0.0.1:${portOf(server)}`))).toMatch(
    /: its certificate is not trusted here; for a CA of your own set NODE_EXTRA_CA_CERTS to its PEM file$/,
  )
})

test('a connection that breaks in the middle of an answer is a server that cannot be reached', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"systems":', () => response.destroy())
  })
  expect(await refusalOf(url)).toMatch(/^cannot reach URL\/ \(.+\): check CRYSTAL_FORGE_URL/)
})

test('a server that says nothing is given up', async () => {
  const timeout = Object.assign(new Error('The operation was aborted due to timeout'), {
    name: 'TimeoutError',
  })
  const silent = client(new URL('http://forge'), TOKEN, () => Promise.reject(timeout))
  await expect(silent.request('GET', '/systems')).rejects.toThrow('http://forge/ did not answer within 30 s')
})

test('the time-out is really set', async () => {
  let signal: AbortSignal | null | undefined
  const send: typeof fetch = (_target, options) => {
    signal = options?.signal
    return Promise.resolve(Response.json({}))
  }
  await client(new URL('http://forge'), TOKEN, send).request('GET', '/systems')
  expect(signal).toBeInstanceOf(AbortSignal)
})

test.each([
  [
    200,
    { 'content-type': 'text/html' },
    '<h1>Welcome to nginx!</h1>',
    /\(HTTP 200, text\/html\): check the address$/,
  ],
  [404, { 'content-type': 'text/html' }, '<h1>404</h1>', /\(HTTP 404, text\/html\): check the address$/],
  [200, { 'content-type': 'application/json' }, '{"hello": "world"}', /\(HTTP 200, application\/json\)/],
  [200, { 'content-type': 'application/json' }, 'null', /\(HTTP 200, application\/json\)/],
  [200, { 'content-type': 'application/json' }, '{"systems": ', /\(HTTP 200, application\/json\)/],
  [200, { 'content-type': 'application/json' }, '["systems"]', /\(HTTP 200, application\/json\)/],
  [
    401,
    { 'content-type': 'application/json' },
    '{"message": "Unauthorized"}',
    /\(HTTP 401, application\/json\)/,
  ],
  [502, {}, '', /\(HTTP 502\): check the address, and whether the server behind it runs$/],
  [403, { 'content-type': 'application/problem+json' }, '{"type": "about:blank", "title": "No"}', /HTTP 403/],
])('what is no API of ours is said to be none: %i %j %s', async (status, headers, body, text) => {
  const message = await refusalOf(await answering(status, headers, body))
  expect(message).toMatch(/^what answers at URL\/ is not the API of a Crystal Forge server/)
  expect(message).toMatch(text)
})

test('a redirect is not followed: the token is for the server that was named', async () => {
  const paths: string[] = []
  const elsewhere = await serve((request, response) => {
    paths.push(request.url ?? '')
    response.end()
  })
  const url = await answering(301, { location: `${elsewhere.href}api/v1/systems` })
  expect(await refusalOf(url)).toBe(
    `URL/ answers with a redirect to ${elsewhere.href}api/v1/systems: give the server's own address`,
  )
  expect(paths).toEqual([])
})

const problem = (members: object) =>
  answering(
    422,
    { 'content-type': 'application/problem+json; charset=utf-8' },
    JSON.stringify({ type: 'urn:crystal-forge:problem:invalid', title: 'Not so', status: 422, ...members }),
  )

test('problem documents are shown as their title and detail, and several places on lines of their own', async () => {
  expect(await refusalOf(await problem({}))).toBe('Not so')
  expect(
    await refusalOf(await problem({ detail: '/a is wrong', errors: [{ path: '/a', message: 'is wrong' }] })),
  ).toBe('Not so: /a is wrong')
  const errors = [
    { path: '/a', message: 'is wrong' },
    { path: '/b', message: 'is missing' },
  ]
  expect(await refusalOf(await problem({ detail: '/a is wrong (and 1 more)', errors }))).toBe(
    'Not so: /a is wrong (and 1 more)\n  /a: is wrong\n  /b: is missing',
  )
  await expect(client(await problem({})).request('GET', '/systems')).rejects.toBeInstanceOf(ApiError)
})

test('a missing token and a refused one are told apart', async () => {
  const server = await startTestServer()
  onTestFinished(server.stop)
  expect(await refusalOf(new URL(server.url), null)).toBe(
    'URL/ wants a token: put one in CRYSTAL_FORGE_TOKEN, or in a file and give --token-file; an admin makes one with ' +
      '`crystal-forge tokens create`',
  )
  expect(await refusalOf(new URL(server.url))).toBe(
    'URL/ refuses the token: it is unknown, expired or revoked; an admin makes a new one with ' +
      '`crystal-forge tokens create`',
  )
})

test('a server below a path is asked there', async () => {
  const urls: (string | undefined)[] = []
  const url = await serve((request, response) => {
    urls.push(request.url)
    response.setHeader('content-type', 'application/json').end('{"systems": [], "total": 0, "next": null}')
  })
  for (const base of ['/forge', '/forge/'])
    await createApi(client(new URL(base, url))).listAllSystems({ text: 'a&b=c d', environment: '../x' })
  const path = '/forge/api/v1/systems?text=a%26b%3Dc+d&environment=..%2Fx&limit=1000'
  expect(urls).toEqual([path, path])
})

test('all pages are fetched', async () => {
  const server = await startTestServer()
  onTestFinished(server.stop)
  await server.database.pool.query(`with s as (insert into systems (hostname)
    select 'host' || to_char(i, 'fm00000') from generate_series(1, 2345) i returning id),
    c as (insert into contacts (system_id) select id from s)
    insert into drift (system_id, state, since, standing, standing_since)
    select id, 'no_report', now(), 'no_report', now() from s`)
  const systems = await createApi(client(new URL(server.url), server.adminToken)).listAllSystems({})
  expect(systems.map(({ hostname }) => hostname)).toEqual(
    Array.from({ length: 2345 }, (_, index) => `host${String(index + 1).padStart(5, '0')}`),
  )
})

test("ages are counted by the server's clock", async () => {
  const date = 'Mon, 23 Nov 2026 12:00:00 GMT'
  const url = await answering(200, { 'content-type': 'application/json', date }, '{"systems": []}')
  const asked = client(url)
  await asked.request('GET', '/systems')
  expect(asked.serverTime()).toBe(Date.parse(date))
})
