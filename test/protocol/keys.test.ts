import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  decodeBase64,
  encodeBase64,
  generateSeed,
  keyId,
  parsePrivateKey,
  parsePublicKey,
  privateKeyFromSeed,
} from '../../src/protocol/keys.ts'

/** RFC 8032, section 7.1, TEST 1; RFC 8037, appendix A uses the same key. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const PUBLIC_KEY = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')

/** RFC 9421, appendix B.1.4. */
const RFC9421_PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
`
const RFC9421_PUBLIC_KEY = 'JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs='

describe('a key id', () => {
  test('is the JWK thumbprint of RFC 8037, appendix A.3', () => {
    expect(keyId(PUBLIC_KEY)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  test('is the same for a view into a larger buffer', () => {
    const view = new Uint8Array(Buffer.concat([Buffer.alloc(7), PUBLIC_KEY, Buffer.alloc(9)])).subarray(7, 39)
    expect(keyId(view)).toBe(keyId(PUBLIC_KEY))
  })
})

describe('a private key file', () => {
  test('holds padded base64 of the seed, with white space around it', () => {
    const key = parsePrivateKey(`\n  ${SEED.toString('base64')} \r\n`)
    expect(key.seed).toEqual(SEED)
    expect(key.publicKey).toEqual(PUBLIC_KEY)
    expect(key.id).toBe(keyId(PUBLIC_KEY))
  })

  test('may be a PKCS#8 PEM', () => {
    const key = parsePrivateKey(RFC9421_PEM)
    expect(encodeBase64(key.publicKey)).toBe(RFC9421_PUBLIC_KEY)
    expect(parsePrivateKey(encodeBase64(key.seed)).id).toBe(key.id)
  })

  test('may be a PEM written by OpenSSL today', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    expect(parsePrivateKey(pem).publicKey.toString('base64url')).toBe(publicKey.export({ format: 'jwk' }).x)
  })

  const x25519 = generateKeyPairSync('x25519').privateKey
  test.each([
    ['nothing', '', /holds 0 bytes/],
    ['a text', 'not a key', /neither padded base64/],
    ['base64 without padding', SEED.toString('base64').replace('=', ''), /neither padded base64/],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url'), /neither padded base64/],
    ['two lines', `${SEED.toString('base64')}\n${SEED.toString('base64')}`, /neither padded base64/],
    ['31 bytes', Buffer.alloc(31, 1).toString('base64'), /holds 31 bytes/],
    [
      'the 64-byte form of other tools',
      Buffer.concat([SEED, PUBLIC_KEY]).toString('base64'),
      /holds 64 bytes/,
    ],
    ['a public key PEM', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /of another kind/],
    [
      'an OpenSSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----',
      /another kind/,
    ],
    ['a broken PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /cannot be read/],
    [
      'a key for something else',
      x25519.export({ format: 'pem', type: 'pkcs8' }).toString(),
      /of type x25519/,
    ],
  ])('cannot be %s', (_, text, message) => {
    expect(() => parsePrivateKey(text)).toThrow(message)
  })

  test('does not show in the message of its error', () => {
    const almost = `${SEED.toString('base64')}x`
    expect(() => parsePrivateKey(almost)).toThrow(expect.not.objectContaining({ message: almost }))
    expect(() => parsePrivateKey(almost)).not.toThrow(SEED.toString('base64').slice(0, 20))
  })
})

describe('a generated seed', () => {
  test('has 32 bytes, makes a public key that can be registered, and is never the same', () => {
    const seed = generateSeed()
    expect(seed).toHaveLength(32)
    expect(generateSeed()).not.toEqual(seed)
    const { publicKey } = privateKeyFromSeed(seed)
    expect(parsePublicKey(encodeBase64(publicKey))).toEqual(publicKey)
  })

  test('of another length makes no key', () => {
    expect(() => privateKeyFromSeed(Buffer.alloc(33))).toThrow(/holds 33 bytes/)
  })
})

describe('a public key', () => {
  test('is padded base64 of 32 bytes, with white space around it', () => {
    expect(parsePublicKey(`${RFC9421_PUBLIC_KEY}\n`)).toEqual(Buffer.from(RFC9421_PUBLIC_KEY, 'base64'))
  })

  test.each([
    ['no base64', 'hello', /not standard base64/],
    ['base64 without padding', RFC9421_PUBLIC_KEY.replace('=', ''), /not standard base64/],
    ['base64url', 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=', /not standard base64/],
    [
      'base64 with other bits in its last character',
      RFC9421_PUBLIC_KEY.replace('s=', 't='),
      /not standard base64/,
    ],
    ['too short', Buffer.alloc(31).toString('base64'), /holds 31 bytes/],
    ['off the curve', Buffer.from([2, ...Buffer.alloc(31)]).toString('base64'), /not a valid Ed25519 point/],
    ['of small order', Buffer.from([1, ...Buffer.alloc(31)]).toString('base64'), /not a valid Ed25519 point/],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => parsePublicKey(text)).toThrow(message)
  })
})

describe('base64', () => {
  test('is read only in its one canonical form', () => {
    expect(decodeBase64('AAE=')).toEqual(Buffer.from([0, 1]))
    for (const text of ['AAE', 'AAF=', 'AAE=\n', ' AAE=', 'AA E=', 'AAE==', '_-8=']) {
      expect(decodeBase64(text)).toBeNull()
    }
  })
})
