import { createRequire } from 'node:module'
import { verifyWithNode } from '../protocol/ed25519.ts'
import type { Logger } from '../lib/log.ts'

/** Whether `signature` (64 bytes) is that of `message` by the key whose raw 32 bytes are `publicKey`. Never throws. */
export type Verify = (publicKey: Buffer, message: Buffer, signature: Uint8Array) => boolean

/** The part of sodium-native that is used; it has no types of its own. */
interface Sodium {
  crypto_sign_verify_detached(signature: Uint8Array, message: Buffer, publicKey: Buffer): boolean
}

/**
 * The server's Ed25519 check: libsodium (39 µs), or `node:crypto` (87 µs) where sodium-native has no binary for the
 * machine, which `log` then says once. Both give the same answer to everything: test/server/ed25519.test.ts.
 */
export function createVerifier(
  options: { log?: Pick<Logger, 'warn'>; loadSodium?: () => Sodium } = {},
): Verify {
  const { log, loadSodium = requireSodium } = options
  try {
    return verifyWithSodium(loadSodium())
  } catch (err) {
    log?.warn(
      { err },
      'sodium-native cannot be loaded; signatures are checked with node:crypto, at half the speed',
    )
    return verifyWithNode
  }
}

function requireSodium(): Sodium {
  const sodium: Sodium = createRequire(import.meta.url)('sodium-native')
  return sodium
}

function verifyWithSodium(sodium: Sodium): Verify {
  // The binding throws for buffers of another length.
  return (publicKey, message, signature) =>
    publicKey.length === 32 &&
    signature.length === 64 &&
    sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
