import { verify, type KeyObject } from 'node:crypto'
import { hasSmallOrder } from './edwards-point.ts'
import { publicKeyObject } from './keys.ts'

/**
 * Checks an Ed25519 signature (RFC 8032, section 5.1.7) with `node:crypto`: 64 bytes over `message` by a public key of 32
 * bytes or as a key object. False for anything that is not a valid signature; throws for nothing a request can carry.
 *
 * Points of small order as key or as R are refused before: libsodium and OpenSSL 3.5 refuse them too, but OpenSSL 3.0
 * takes them, and evidence has to be judged alike wherever it is checked. RFC 8032 leaves it open.
 */
export function verifyWithNode(
  publicKey: KeyObject | Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || hasSmallOrder(signature.subarray(0, 32))) return false
  if (!(publicKey instanceof Uint8Array)) return verify(null, message, publicKey, signature)
  if (publicKey.length !== 32 || hasSmallOrder(publicKey)) return false
  return verify(null, message, publicKeyObject(publicKey), signature)
}
