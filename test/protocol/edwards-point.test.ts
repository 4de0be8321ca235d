import { describe, expect, test } from 'vitest'
import { hasSmallOrder, isPublicPoint } from '../../src/protocol/edwards-point.ts'
import { add, P, SMALL_ORDER_ENCODINGS, sodium, toLittleEndian } from '../support/edwards.ts'

const BASE_POINT = Buffer.from('58'.padEnd(64, '6'), 'hex')

describe('the points of small order', () => {
  test.each(SMALL_ORDER_ENCODINGS)('%s is one, and no public key', (hex) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(hasSmallOrder(bytes)).toBe(true)
    expect(isPublicPoint(bytes)).toBe(false)
    expect(sodium.crypto_core_ed25519_is_valid_point(bytes)).toBe(false)
    // Three doublings lead to the identity, whose y is 1.
    const eightfold = [1, 2, 3].reduce<Buffer>((point) => add(point, point), bytes)
    expect(eightfold.toString('hex')).toBe(toLittleEndian(1n).toString('hex'))
  })

  test('also in their other encodings, with a y of p or more', () => {
    for (const y of [P, P + 1n]) expect(hasSmallOrder(toLittleEndian(y))).toBe(true)
    expect(hasSmallOrder(BASE_POINT)).toBe(false)
  })
})

describe('a public point', () => {
  test('is the base point, and its negative', () => {
    expect(isPublicPoint(BASE_POINT)).toBe(true)
    expect(isPublicPoint(Buffer.from(`${'58'.padEnd(62, '6')}e6`, 'hex'))).toBe(true)
  })

  test('has a canonical y: none of the 19 encodings from p on is one', () => {
    for (let y = P; y < 2n ** 255n; y += 1n) {
      expect(isPublicPoint(toLittleEndian(y))).toBe(false)
      expect(isPublicPoint(toLittleEndian(y + 2n ** 255n))).toBe(false)
    }
  })

  test('has 32 bytes', () => {
    expect(isPublicPoint(BASE_POINT.subarray(0, 31))).toBe(false)
    expect(isPublicPoint(Buffer.concat([BASE_POINT, Buffer.alloc(1)]))).toBe(false)
  })
})
