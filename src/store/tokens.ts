import { createHash, randomBytes } from 'node:crypto'

/**
 * Makes a secret token: `<prefix>_` and 256 random bits in base64url. Only its SHA-256 is stored; a slow hash would add
 * nothing to so many random bits.
 */
export function makeToken(prefix: 'cfe' | 'cfa' | 'cfs' | 'cfl'): { token: string; hash: Buffer } {
  const token = `${prefix}_${randomBytes(32).toString('base64url')}`
  return { token, hash: hashToken(token) }
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
