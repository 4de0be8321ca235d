/** The prime of edwards25519's field, and the curve's `d` (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/**
 * A `y` of the points of order 8: a root of `d·y⁴ + 2·y² - 1`, which is what doubling to `y = 0` comes down to. With
 * its negative, 0 (order 4), 1 (the identity) and -1 (order 2) these are all points whose order divides 8.
 */
const Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n
const SMALL_ORDER_Y = new Set([0n, 1n, P - 1n, Y_OF_ORDER_8, P - Y_OF_ORDER_8])

/**
 * Whether 32 bytes are the canonical encoding of a point of edwards25519 that is not of small order: what a public
 * key has to be (RFC 8032, section 5.1.3). `node:crypto` imports any 32 bytes as a key. Takes about 0.3 ms.
 */
export function isPublicPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false
  const y = readY(bytes)
  if (y >= P || SMALL_ORDER_Y.has(y)) return false
  // x² = u / v; it has a root exactly when u·v is a square (Euler's criterion; neither is 0 here). Which of the two
  // roots the sign bit names does not matter: x = 0, the one encoding with a sign that is not allowed, has small order.
  const u = y * y - 1n
  const v = D * y * y + 1n
  return power((u * v) % P, (P - 1n) / 2n) === 1n
}

/** Whether 32 bytes encode, canonically or not, a point of small order. They need not be a point at all. */
export function hasSmallOrder(bytes: Uint8Array): boolean {
  return SMALL_ORDER_Y.has(readY(bytes) % P)
}

/** The y coordinate: 255 bits, little endian. The top bit is the sign of x. */
function readY(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (
    [0, 8, 16, 24].reduce((y, offset) => y | (view.getBigUint64(offset, true) << BigInt(offset * 8)), 0n) &
    (2n ** 255n - 1n)
  )
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}
