import { sign } from 'node:crypto'
import * as fc from 'fast-check'
import { contentDigest } from '../../../src/protocol/digests.ts'
import type { PrivateKey } from '../../../src/protocol/keys.ts'
import { COMPONENTS, coveredLines, signatureBase } from '../../../src/protocol/signature-base.ts'
import { hex } from '../../server/webhooks/support.ts'
import { base, type Base, type Mutation, mutation } from './documents.ts'

/** A few places of a text that are overwritten, removed or doubled: close to the real thing, where mistakes hide. */
export interface Damage {
  at: number
  length: number
  insert: string
}

/** One request, as data, so that a failing one can be made small and shown. */
export interface FuzzedRequest {
  base: Base
  /** Whose name the document has, where it has one. */
  names: 'itself' | 'bystander'
  mutations: Mutation[]
  /** To the body's text, before it is signed. */
  bodyDamage: Damage[]
  /** To the header lines, after they are signed. */
  lineDamage: { line: number; damage: Damage }[]
  signer: 'agent' | 'stranger' | 'impostor'
  /** Seconds added to the time of the signature. */
  skew: number
  method: string
  path: string | null
  /** Signed and sent instead of the right ones, or null. */
  digest: string | null
  parameters: string | null
  extra: string[]
  isChunked: boolean
}

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(3000),
  length: fc.nat(8),
  insert: fc.oneof(
    fc.constant(''),
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom(
      ';',
      '"',
      '\\',
      ',',
      '=',
      ':',
      '?1',
      '1.5',
      '-',
      '@',
      '\t',
      '()',
      ', a=1',
      '\\u0000',
      '{',
    ),
  ),
})

const seldom = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary })

const parameter = fc.constantFrom(
  ';created=1.0',
  ';created=-1',
  ';created=999999999999999',
  ';expires=1',
  ';expires=4102444800',
  ';nonce="n"',
  ';nonce=?1',
  ';keyid=""',
  ';keyid=token',
  ';keyid="\\""',
  ';alg="ed25519"',
  ';alg="none"',
  ';tag="crystal-forge-agent"',
  ';tag="other"',
  ';x',
  ';"',
)
const header = fc.oneof(
  fc.constantFrom(
    'Host: other.example.org',
    'Host:',
    'Content-Encoding: gzip',
    'Content-Type: text/plain',
    'Content-Length: 0',
    'Transfer-Encoding: gzip, chunked',
    'Expect: 100-continue',
    'Expect: more',
    'Connection: close',
    'Upgrade: websocket',
    'X-Forwarded-For: 192.0.2.1, unknown',
    'X-Forwarded-Proto: https',
    'Forwarded: for=_x',
    'X-Key-ID: version0',
    'X-Signature: AAAA',
    'Signature: cf=:AAAA:',
    'Signature-Input: cf=()',
    'Content-Digest: sha-256=:AAAA:',
    'Authorization: Bearer x',
    'Cookie: a',
    'X-GitHub-Event: push',
    'X-Gitlab-Event: Push Hook',
    'X-Gitlab-Token: x',
    'X-Hub-Signature-256: sha256=00',
    'X-Crystal-Forge-Delivery: 1',
    'webhook-id: 1',
    'webhook-signature: v1,AAAA',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

export const request: fc.Arbitrary<FuzzedRequest> = fc.record({
  base,
  names: seldom(fc.constant('bystander'), 'itself'),
  mutations: fc.array(mutation, { maxLength: 3 }),
  bodyDamage: seldom(fc.array(damage, { maxLength: 3 }), []),
  lineDamage: seldom(fc.array(fc.record({ line: fc.nat(12), damage }), { maxLength: 3 }), []),
  signer: fc.constantFrom('agent', 'agent', 'agent', 'agent', 'agent', 'agent', 'stranger', 'impostor'),
  skew: seldom(fc.constantFrom(-100_000, -301, -299, 299, 301, 10 ** 12), 0),
  method: seldom(fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'post', 'X Y'), 'POST'),
  path: seldom(
    fc.oneof(
      fc.constantFrom(
        '/agent/heartbeat',
        '/agent/state',
        '/agent/enroll',
        '/system_state',
        '/agent/heartbeat?x',
        '/agent//state',
        '/agent/%73tate',
        '/api/v1/systems',
        '/metrics',
        '/webhook',
        '/webhook/github',
        '/webhook/gitlab',
        '/webhook/forgejo',
        '*',
        '/%ff%00',
        `/${'x'.repeat(5000)}`,
      ),
      fc.webPath(),
    ),
    null,
  ),
  digest: seldom(
    fc.oneof(
      fc.constantFrom('', 'sha-256', 'sha-256=1', 'sha-256=:AAAA:', 'sha-512=:AAAA:', 'sha-256=:*:', '(('),
      fc.string({ maxLength: 60 }),
    ),
    null,
  ),
  parameters: seldom(
    fc.array(parameter, { maxLength: 3 }).map((all) => all.join('')),
    null,
  ),
  extra: seldom(fc.array(header, { maxLength: 3 }), []),
  isChunked: seldom(fc.boolean(), false),
})

export function damaged(text: string, damages: readonly Damage[]): string {
  return damages.reduce((now, { at, length, insert }) => {
    const start = at % (now.length + 1)
    return now.slice(0, start) + insert + now.slice(start + length)
  }, text)
}

/** The bytes of the request: signed as it says, then damaged. No line holds a line break, so that its end can be told. */
export function encode(
  given: FuzzedRequest,
  {
    key,
    keyId,
    authority,
    path,
    body,
  }: {
    key: PrivateKey
    keyId: string
    authority: string
    path: string
    body: Buffer
  },
): Buffer {
  const digest = given.digest ?? contentDigest(body)
  const created = Math.floor(Date.now() / 1000) + given.skew
  const parameters =
    `(${COMPONENTS.map((name) => `"${name}"`).join(' ')});created=${created};keyid="${keyId}"` +
    `;alg="ed25519";tag="crystal-forge-agent"${given.parameters ?? ''}`
  const covered = { method: given.method, authority, path, contentDigest: digest }
  const signed = Buffer.from(signatureBase(coveredLines(COMPONENTS, covered), parameters))
  const lines = [
    `${given.method} ${path} HTTP/1.1`,
    `Host: ${authority}`,
    'Content-Type: application/json',
    `Content-Digest: ${digest}`,
    `Signature-Input: cf=${parameters}`,
    `Signature: cf=:${sign(null, signed, key.keyObject).toString('base64')}:`,
  ]
  return frame(given, lines, body)
}

/** The same for version 0, which signs the body. */
export function encodeVersion0(
  given: FuzzedRequest,
  {
    key,
    hostname,
    authority,
    path,
    body,
  }: {
    key: PrivateKey
    hostname: string
    authority: string
    path: string
    body: Buffer
  },
): Buffer {
  const lines = [
    `${given.method} ${path} HTTP/1.1`,
    `Host: ${authority}`,
    `X-Key-ID: ${hostname}`,
    `X-Signature: ${sign(null, body, key.keyObject).toString('base64')}`,
  ]
  return frame(given, lines, body)
}

/** The same for a webhook of the generic form. */
export function encodeWebhook(
  given: FuzzedRequest,
  { secret, authority, path, body }: { secret: string; authority: string; path: string; body: Buffer },
): Buffer {
  const lines = [
    `${given.method} ${path} HTTP/1.1`,
    `Host: ${authority}`,
    'Content-Type: application/json',
    `X-Crystal-Forge-Signature-256: sha256=${hex(secret, body)}`,
  ]
  return frame(given, lines, body)
}

function frame(given: FuzzedRequest, lines: string[], body: Buffer): Buffer {
  for (const { line, damage: one } of given.lineDamage) {
    const index = line % lines.length
    lines[index] = damaged(lines[index] ?? '', [one])
  }
  const head = [...lines, ...given.extra].map((line) => line.replaceAll(/[\r\n]/g, ' ') || 'x').join('\r\n')
  const [framing, content] = given.isChunked
    ? ['Transfer-Encoding: chunked', chunked(body)]
    : [`Content-Length: ${body.length}`, body]
  return Buffer.concat([Buffer.from(`${head}\r\n${framing}\r\n\r\n`, 'utf8'), content])
}

function chunked(body: Buffer): Buffer {
  const size = Math.max(1, Math.ceil(body.length / 3))
  const chunks: Buffer[] = []
  for (let start = 0; start < body.length; start += size) {
    const chunk = body.subarray(start, start + size)
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}
