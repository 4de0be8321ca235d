import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createTransport,
  isLoopback,
  type Answer,
  type Transport,
  type TransportOptions,
} from '../../src/agent/transport.ts'

const TLS = join(import.meta.dirname, '../support/tls')
const BODY = Buffer.from('{}')

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return new URL(`http://127.0.0.1:${await listen(server)}`)
}

async function serveTls(hostname = '127.0.0.1'): Promise<{ url: URL; ca: string }> {
  const [cert, key] = await Promise.all([
    readFile(join(TLS, 'cert.pem'), 'utf8'),
    readFile(join(TLS, 'key.pem'), 'utf8'),
  ])
  const server = createTlsServer({ cert, key }, (_request, response) => response.end('hello'))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: new URL(`https://${hostname}:${await listen(server, hostname)}`), ca: cert }
}

async function create(serverUrl: URL, options: Partial<TransportOptions> = {}): Promise<Transport> {
  const transport = await createTransport({ serverUrl, ca: null, timeoutMs: 5000, ...options })
  onTestFinished(transport.close)
  return transport
}

async function post(transport: Promise<Transport>, signal = new AbortController().signal): Promise<Answer> {
  return await (await transport).post('/agent/heartbeat', { 'x-test': '1' }, BODY, signal)
}

describe('a request', () => {
  test('goes to the path of the server with its headers and its body, and brings back the answer', async () => {
    let seen: unknown
    const url = await serve((request, response) => {
      const { method, url: path, headers } = request
      request.on('data', (chunk: Buffer) => {
        seen = { method, path, headers, body: chunk.toString() }
      })
      request.on('end', () => {
        response.writeHead(503, { 'content-type': 'text/x', 'retry-after': '7', date: 'today' })
        response.end('answer')
      })
    })
    const answer = await post(create(url))
    expect(seen).toMatchObject({
      method: 'POST',
      path: '/agent/heartbeat',
      headers: { host: url.host, 'content-type': 'application/json', 'content-length': '2', 'x-test': '1' },
      body: '{}',
    })
    expect(answer).toEqual({
      status: 503,
      contentType: 'text/x',
      retryAfter: '7',
      date: 'today',
      body: Buffer.from('answer'),
    })
  })

  test('does not follow a redirect', async () => {
    const url = await serve((_request, response) => response.writeHead(307, { location: '/other' }).end())
    expect(await post(create(url))).toMatchObject({ status: 307 })
  })

  test('is given up when no whole answer comes in time', async () => {
    const url = await serve((_request, response) => response.write('half'))
    await expect(post(create(url, { timeoutMs: 50 }))).rejects.toThrow('no whole answer')
    const silent = await serve(() => {})
    await expect(post(create(silent, { timeoutMs: 50 }))).rejects.toThrow('within 50 ms')
  })

  test('is given up when the server never accepts TLS', async () => {
    const tcp = createTcpServer((socket) => {
      onTestFinished(() => void socket.destroy())
    })
    onTestFinished(() => void tcp.close())
    const url = new URL(`https://127.0.0.1:${await listen(tcp)}`)
    await expect(post(create(url, { timeoutMs: 50 }))).rejects.toThrow('within 50 ms')
  })

  test('does not read an answer without end', async () => {
    const url = await serve((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    await expect(post(create(url))).rejects.toThrow('longer than 65536 bytes')
  })

  test('ends when it is aborted', async () => {
    const controller = new AbortController()
    const url = await serve(() => controller.abort())
    await expect(post(create(url), controller.signal)).rejects.toThrow('abort')
  })

  test('on a connection that the server has closed meanwhile says that it was stale', async () => {
    const url = await serve((request, response) => {
      if (request.headers['x-test'] === 'last') request.socket.destroy()
      else response.end()
    })
    const transport = await create(url)
    await post(Promise.resolve(transport))
    const { signal } = new AbortController()
    await expect(transport.post('/', { 'x-test': 'last' }, BODY, signal)).rejects.toMatchObject({
      name: 'StaleConnection',
    })
    await expect(transport.post('/', { 'x-test': 'last' }, BODY, signal)).rejects.not.toMatchObject({
      name: 'StaleConnection',
    })
  })
})

describe('TLS', () => {
  test('is verified against the certificates of ca_file', async () => {
    const { url, ca } = await serveTls()
    const transport = await create(url, { ca })
    expect((await post(Promise.resolve(transport))).body.toString()).toBe('hello')
    expect(transport.trusted).toBe(true)
  })

  test('of an unknown certificate is refused', async () => {
    const { url } = await serveTls()
    await expect(post(create(url))).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  // The whole of 127.0.0.0/8 is this machine, but the certificate names 127.0.0.1 only.
  test('of another name is refused', async () => {
    const { url, ca } = await serveTls('127.0.0.2')
    await expect(post(create(url, { ca }))).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })
})

test.each([
  ['http://LOCALHOST:3000', 'localhost:3000', true],
  ['http://127.0.0.1', '127.0.0.1', true],
  ['http://127.9.9.9:81', '127.9.9.9:81', true],
  ['http://[::1]:3000', '[::1]:3000', true],
  ['http://192.0.2.1:3000', '192.0.2.1:3000', false],
  ['http://localhost.example.org', 'localhost.example.org', false],
  ['http://127.0.0.1.example.org', '127.0.0.1.example.org', false],
  ['https://Forge.Example.org:443', 'forge.example.org', true],
  ['https://forge.example.org:8443', 'forge.example.org:8443', true],
])('%s has the authority %s and is trusted: %j', async (url, authority, trusted) => {
  expect(await create(new URL(url))).toMatchObject({ authority, trusted })
})

test('a loopback name is an exact one', () => {
  expect(isLoopback('127.0.0.1')).toBe(true)
  expect(isLoopback('1127.0.0.1')).toBe(false)
})
