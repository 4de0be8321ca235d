import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { encodeBase64, type PrivateKey } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { createHeartbeat } from '../support/messages.ts'
import { createTestAgent, newKey } from '../support/test-agent.ts'
import { startTestServer } from '../support/test-server.ts'

const DIRECTORY = join(import.meta.dirname, '..', 'support', 'tls')

let tls: { cert: Buffer; key: Buffer }
beforeAll(async () => {
  tls = { cert: await readFile(join(DIRECTORY, 'cert.pem')), key: await readFile(join(DIRECTORY, 'key.pem')) }
})

/** A signed request over TLS, with whatever other headers. */
async function post(url: string, key: PrivateKey, path: string, document: object, headers: object = {}) {
  const { host } = new URL(url)
  const body = Buffer.from(JSON.stringify(document))
  const signed = signRequest({
    method: 'POST',
    authority: host,
    path,
    body,
    key,
    createdSecs: Math.floor(Date.now() / 1000),
  })
  return new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    const outgoing = request(
      url + path,
      {
        method: 'POST',
        ca: tls.cert,
        agent: false,
        headers: { ...signed, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

test('a server with a certificate speaks HTTPS, and nothing else', async () => {
  const server = await startTestServer({ settings: { tls } })
  onTestFinished(server.stop)
  expect(server.url).toMatch(/^https:/)
  const plain = createTestAgent({ url: server.url.replace('https:', 'http:'), authority: server.authority })
  await expect(plain.heartbeat()).rejects.toThrow(/socket hang up|ECONNRESET/)
  const reply = await post(server.url, newKey(), '/agent/heartbeat', createHeartbeat())
  expect(reply).toMatchObject({ status: 401, body: { type: 'urn:crystal-forge:problem:bad-signature' } })
})

test.each([
  { who: 'an agent', headers: {}, trustedProxies: [], isConfidential: true },
  { who: 'an agent where proxies are', headers: {}, trustedProxies: ['127.0.0.1'], isConfidential: true },
  {
    who: 'somebody who says otherwise',
    headers: { 'x-forwarded-proto': 'http' },
    trustedProxies: [],
    isConfidential: true,
  },
  {
    who: 'a proxy that had TLS',
    headers: { 'x-forwarded-proto': 'https' },
    trustedProxies: ['127.0.0.1'],
    isConfidential: true,
  },
  {
    who: 'a proxy that had none',
    headers: { 'x-forwarded-proto': 'http' },
    trustedProxies: ['127.0.0.1'],
    isConfidential: false,
  },
])('enrolment over TLS by $who is confidential: $isConfidential', async (given) => {
  const server = await startTestServer({ settings: { tls, trustedProxies: given.trustedProxies } })
  onTestFinished(server.stop)
  const key = newKey()
  const enrollment = { version: 1, token: 'cfe_x', hostname: 'new', public_key: encodeBase64(key.publicKey) }
  const reply = await post(server.url, key, '/agent/enroll', enrollment, given.headers)
  // an unknown token is only looked for once the transport is found confidential
  const problem = given.isConfidential ? 'enrollment-refused' : 'forbidden'
  expect(reply).toMatchObject({ status: 403, body: { type: `urn:crystal-forge:problem:${problem}` } })
})
