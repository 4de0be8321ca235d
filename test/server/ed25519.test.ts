import { randomBytes, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { privateKeyFromSeed, publicKeyObject } from '../../src/protocol/keys.ts'
import { createVerifier, type Verify } from '../../src/server/ed25519.ts'
import { SMALL_ORDER_ENCODINGS } from '../support/edwards.ts'

const withoutSodium = createVerifier({
  loadSodium: () => {
    throw new Error('no binary for this machine')
  },
})
const VERIFIERS: [string, Verify][] = [
  ['sodium', createVerifier()],
  ['node:crypto', withoutSodium],
]

/** RFC 8032, section 7.1, TEST 1 to 3: seed, public key, message, signature. */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
].map(([seed = '', publicKey = '', message = '', signature = '']) => ({
  seed: Buffer.from(seed, 'hex'),
  publicKey: Buffer.from(publicKey, 'hex'),
  message: Buffer.from(message, 'hex'),
  signature: Buffer.from(signature, 'hex'),
}))

describe.each(VERIFIERS)('the verifier with %s', (_, verify) => {
  test.each(VECTORS)('accepts the vectors of RFC 8032', ({ seed, publicKey, message, signature }) => {
    const key = privateKeyFromSeed(seed)
    expect(key.publicKey).toEqual(publicKey)
    expect(sign(null, message, key.keyObject)).toEqual(signature)
    expect(verify(publicKey, message, signature)).toBe(true)
    expect(verify(publicKey, Buffer.concat([message, Buffer.from('x')]), signature)).toBe(false)
  })

  test('answers false, and does not throw, for keys and signatures of another length', () => {
    const { publicKey, message, signature } = VECTORS[1]!
    for (const length of [0, 31, 33]) expect(verify(Buffer.alloc(length, 1), message, signature)).toBe(false)
    for (const length of [0, 63, 65]) expect(verify(publicKey, message, Buffer.alloc(length, 1))).toBe(false)
  })

  test('answers false for a key that is no point', () => {
    const { message, signature } = VECTORS[1]!
    expect(verify(Buffer.from([2, ...Buffer.alloc(31)]), message, signature)).toBe(false)
  })

  test.each(SMALL_ORDER_ENCODINGS)('refuses the key %s, under which anybody can sign', (hex) => {
    // With S = 0 and R = -k·A, one of the few multiples of A, the equation holds for some messages.
    for (const r of SMALL_ORDER_ENCODINGS) {
      const signature = Buffer.concat([Buffer.from(r, 'hex'), Buffer.alloc(32)])
      for (let index = 0; index < 16; index += 1) {
        expect(verify(Buffer.from(hex, 'hex'), Buffer.from([index]), signature)).toBe(false)
      }
    }
  })
})

describe('a server without sodium-native', () => {
  test('says so once, with the reason, and verifies all the same', () => {
    const warnings: unknown[] = []
    const verify = createVerifier({
      log: { warn: (...args: unknown[]) => warnings.push(args) },
      loadSodium: () => {
        throw new Error('no binary for this machine')
      },
    })
    const key = privateKeyFromSeed(randomBytes(32))
    const message = Buffer.from('hello')
    expect(verify(key.publicKey, message, sign(null, message, key.keyObject))).toBe(true)
    expect(warnings).toEqual([
      [{ err: new Error('no binary for this machine') }, expect.stringContaining('node:crypto')],
    ])
  })
})

test('verifyWithNode takes a key object as well', () => {
  const { publicKey, message, signature } = VECTORS[0]!
  expect(verifyWithNode(publicKeyObject(publicKey), message, signature)).toBe(true)
  expect(verifyWithNode(publicKeyObject(publicKey), Buffer.from('x'), signature)).toBe(false)
})
