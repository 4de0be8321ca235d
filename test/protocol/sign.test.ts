import { createPublicKey, sign, verify } from 'node:crypto'
import { parseDictionary, serializeInnerList, isInnerList } from 'structured-headers'
import { describe, expect, test } from 'vitest'
import { parsePrivateKey, privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { signatureBase } from '../../src/protocol/signature-base.ts'

const KEY = privateKeyFromSeed(Buffer.alloc(32, 7))
const BODY = Buffer.from('{"version":1}')
const REQUEST = {
  method: 'POST',
  authority: 'Forge.example.org:443',
  path: '/agent/heartbeat',
  body: BODY,
  key: KEY,
  createdSecs: 1_795_434_334,
}

describe('RFC 9421, appendix B.2.6', () => {
  const parameters =
    '("date" "@method" "@path" "@authority" "content-type" "content-length")' +
    ';created=1618884473;keyid="test-key-ed25519"'
  const base = signatureBase(
    [
      ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['@method', 'POST'],
      ['@path', '/foo'],
      ['@authority', 'example.com'],
      ['content-type', 'application/json'],
      ['content-length', '18'],
    ],
    parameters,
  )
  const signature = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=='

  test('has the signature base that is built here', () => {
    expect(base).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        `"@signature-params": ${parameters}`,
      ].join('\n'),
    )
  })

  test('has the signature that its key makes of this base', () => {
    const key = parsePrivateKey(`-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----`)
    expect(sign(null, Buffer.from(base), key.keyObject).toString('base64')).toBe(signature)
  })

  test('has parameters that stay the same when they are parsed and written again', () => {
    const member = parseDictionary(`sig-b26=${parameters}`).get('sig-b26')
    expect(member !== undefined && isInnerList(member) && serializeInnerList(member)).toBe(parameters)
  })
})

describe('a signed request', () => {
  test('carries the three headers of the protocol', () => {
    const headers = signRequest(REQUEST)
    expect(headers['content-digest']).toMatch(/^sha-256=:[0-9A-Za-z+/]{43}=:$/)
    expect(headers['signature-input']).toBe(
      `cf=("@method" "@authority" "@path" "content-digest");created=1795434334;keyid="${KEY.id}"` +
        ';alg="ed25519";tag="crystal-forge-agent"',
    )
    expect(headers.signature).toMatch(/^cf=:[0-9A-Za-z+/]{86}==:$/)
  })

  test('is signed over the lower-case authority without the default port', () => {
    const headers = signRequest(REQUEST)
    const base = [
      '"@method": POST',
      '"@authority": forge.example.org',
      '"@path": /agent/heartbeat',
      `"content-digest": ${headers['content-digest']}`,
      `"@signature-params": ${headers['signature-input'].slice('cf='.length)}`,
    ].join('\n')
    const signature = Buffer.from(headers.signature.slice('cf=:'.length, -1), 'base64')
    expect(verify(null, Buffer.from(base), createPublicKey(KEY.keyObject), signature)).toBe(true)
  })

  test.each([
    ['method', { method: 'PUT' }],
    ['authority', { authority: 'other.example.org' }],
    ['path', { path: '/agent/state' }],
    ['body', { body: Buffer.from('{"version":2}') }],
    ['time', { createdSecs: REQUEST.createdSecs + 1 }],
  ])('has another signature for another %s', (_, change) => {
    expect(signRequest({ ...REQUEST, ...change }).signature).not.toBe(signRequest(REQUEST).signature)
  })
})
