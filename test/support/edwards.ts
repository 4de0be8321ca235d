import { createRequire } from 'node:module'

/** What the tests use of sodium-native, which has no types of its own. */
interface Sodium {
  crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean
  crypto_core_ed25519_is_valid_point(point: Buffer): boolean
  crypto_core_ed25519_add(result: Buffer, a: Buffer, b: Buffer): void
  crypto_scalarmult_ed25519_base_noclamp(result: Buffer, scalar: Buffer): void
}
export const sodium: Sodium = createRequire(import.meta.url)('sodium-native')

/** The field's prime and the order of the base point (RFC 8032, section 5.1). */
export const P = 2n ** 255n - 19n
export const L = 2n ** 252n + 27742317777372353535851937790883648493n

/** All eight points whose order divides 8, canonically encoded. */
export const SMALL_ORDER_ENCODINGS = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
}

export function toLittleEndian(number: bigint): Buffer {
  return Buffer.from(Buffer.from(number.toString(16).padStart(64, '0'), 'hex').toReversed())
}

/** The sum of two encoded points; throws when one is not on the curve. */
export function add(a: Buffer, b: Buffer): Buffer {
  const result = Buffer.alloc(32)
  sodium.crypto_core_ed25519_add(result, a, b)
  return result
}

/** The base point times a scalar that is not 0 modulo its order. */
export function multiplyBase(scalar: bigint): Buffer {
  const result = Buffer.alloc(32)
  sodium.crypto_scalarmult_ed25519_base_noclamp(result, toLittleEndian(scalar % L))
  return result
}
