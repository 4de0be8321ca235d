import { createHash, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPublicPoint } from '../../src/protocol/edwards-point.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { createVerifier } from '../../src/server/ed25519.ts'
import {
  add,
  fromLittleEndian,
  L,
  multiplyBase,
  P,
  SMALL_ORDER_ENCODINGS,
  sodium,
  toLittleEndian,
} from '../support/edwards.ts'

const verifyWithSodium = createVerifier()
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array))
const message = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const scalar = fc.bigInt({ min: 1n, max: L - 1n })
const torsion = fc.constantFrom(...SMALL_ORDER_ENCODINGS).map((hex) => Buffer.from(hex, 'hex'))

/** What both say of a signature; they may never differ. */
function verifyWithBoth(publicKey: Buffer, text: Buffer, signature: Buffer): boolean {
  const answer = verifyWithSodium(publicKey, text, signature)
  expect(verifyWithNode(publicKey, text, signature)).toBe(answer)
  return answer
}

const hash = (r: Buffer, publicKey: Buffer, text: Buffer): bigint =>
  fromLittleEndian(createHash('sha512').update(r).update(publicKey).update(text).digest()) % L

/** A signature whose R is given and whose S fits the equation for the secret scalar, whatever A and R are. */
function forge(r: Buffer, nonce: bigint, secret: bigint, publicKey: Buffer, text: Buffer): Buffer {
  return Buffer.concat([r, toLittleEndian((nonce + hash(r, publicKey, text) * secret) % L)])
}

describe('libsodium and node:crypto give one answer', () => {
  test('to genuine signatures: yes', () => {
    fc.assert(
      fc.property(bytes(32), message, (seed, text) => {
        const key = privateKeyFromSeed(seed)
        expect(verifyWithBoth(key.publicKey, text, sign(null, text, key.keyObject))).toBe(true)
      }),
    )
  })

  test('to a signature, key or message with one bit changed: no', () => {
    const part = fc.constantFrom('signature' as const, 'publicKey' as const, 'text' as const)
    fc.assert(
      fc.property(bytes(32), bytes(40), part, fc.nat(511), (seed, text, changed, bit) => {
        const key = privateKeyFromSeed(seed)
        const parts = {
          publicKey: Buffer.from(key.publicKey),
          text: Buffer.from(text),
          signature: sign(null, text, key.keyObject),
        }
        const target = parts[changed]
        const index = (bit >> 3) % target.length
        target[index] = target[index]! ^ (1 << (bit & 7))
        expect(verifyWithBoth(parts.publicKey, parts.text, parts.signature)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('to random bytes: no', () => {
    fc.assert(
      fc.property(bytes(32), message, bytes(64), (publicKey, text, signature) => {
        expect(verifyWithBoth(publicKey, text, signature)).toBe(false)
      }),
    )
  })

  test('to an S of L or more, which would be a second signature for the same text: no', () => {
    fc.assert(
      fc.property(bytes(32), message, fc.constantFrom(1n, 2n, 8n, 14n), (seed, text, times) => {
        const key = privateKeyFromSeed(seed)
        const genuine = sign(null, text, key.keyObject)
        const s = fromLittleEndian(genuine.subarray(32)) + times * L
        const signature = Buffer.concat([genuine.subarray(0, 32), toLittleEndian(s)])
        expect(verifyWithBoth(key.publicKey, text, signature)).toBe(false)
      }),
    )
  })

  test('to signatures that fit the equation by calculation, with points that have a part of small order', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(scalar, scalar, torsion, torsion, message, (secret, nonce, a, r, text) => {
        const publicKey = add(multiplyBase(secret), a)
        const point = add(multiplyBase(nonce), r)
        seen.add(verifyWithBoth(publicKey, text, forge(point, nonce, secret, publicKey, text)))
      }),
      { numRuns: 300 },
    )
    expect(seen).toEqual(new Set([true, false]))
  })

  test('to an R of small order, also in its other encodings: no', () => {
    const other = [P, P + 1n, P + 2n ** 255n, P + 1n + 2n ** 255n].map(toLittleEndian)
    fc.assert(
      fc.property(scalar, fc.oneof(torsion, fc.constantFrom(...other)), message, (secret, r, text) => {
        const publicKey = multiplyBase(secret)
        expect(verifyWithBoth(publicKey, text, forge(r, 0n, secret, publicKey, text))).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('to a key of small order, also in its other encodings: no', () => {
    const other = [P, P + 1n, P + 2n ** 255n, P + 1n + 2n ** 255n].map(toLittleEndian)
    fc.assert(
      fc.property(scalar, fc.oneof(torsion, fc.constantFrom(...other)), message, (nonce, publicKey, text) => {
        const signature = Buffer.concat([multiplyBase(nonce), toLittleEndian(nonce)])
        expect(verifyWithBoth(publicKey, text, signature)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a public key that is accepted', () => {
  test('is exactly a point that libsodium takes, up to a part of small order', () => {
    let points = 0
    fc.assert(
      fc.property(bytes(32), (point) => {
        const isAccepted = isPublicPoint(point)
        if (isAccepted) points += 1
        expect(isAccepted).toBe(isOnCurve(point))
      }),
      { numRuns: 500 },
    )
    // About half of all y belong to a point.
    expect(points).toBeGreaterThan(150)
    expect(points).toBeLessThan(350)
  })

  test('includes every key that a seed makes', () => {
    fc.assert(
      fc.property(bytes(32), (seed) => {
        const { publicKey } = privateKeyFromSeed(seed)
        expect(isPublicPoint(publicKey)).toBe(true)
        expect(sodium.crypto_core_ed25519_is_valid_point(publicKey)).toBe(true)
      }),
    )
  })
})

const isOnCurve = (point: Buffer): boolean =>
  SMALL_ORDER_ENCODINGS.some((hex) => isValidSum(point, Buffer.from(hex, 'hex')))

/** libsodium calls only points of the prime-order group valid; every point is one of eight steps away from it. */
function isValidSum(point: Buffer, step: Buffer): boolean {
  try {
    return sodium.crypto_core_ed25519_is_valid_point(add(point, step))
  } catch {
    return false
  }
}
