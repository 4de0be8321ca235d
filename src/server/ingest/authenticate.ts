import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { generateSeed, privateKeyFromSeed } from '../../protocol/keys.ts'
import { Problem } from '../../protocol/problems.ts'
import { checkFreshness, readSignedRequest, type SignedRequest } from '../../protocol/verify.ts'
import { findKey, type RegisteredKey } from '../../store/keys.ts'
import type { DB } from '../../store/schema.generated.ts'
import type { Verify } from '../ed25519.ts'
import type { FailureLimit } from './failure-limit.ts'
import { readHead } from './request-head.ts'

export interface Authenticator {
  /**
   * Whose request it is; of a key that was seen before, without a promise. Throws, or rejects with, Problem unsigned,
   * stale-signature, bad-signature, malformed or slow-down.
   */
  authenticate: (request: FastifyRequest) => Authenticated | Promise<Authenticated>
}

export interface Authenticated {
  key: RegisteredKey
  signed: SignedRequest
}

/** An unknown key costs the same verification and look-up as a known one, so that time does not tell them apart. */
export const NOBODY: Buffer = privateKeyFromSeed(generateSeed()).publicKey

/**
 * Authenticates agents before their body is read. Public keys are cached for ever, as a key never changes; whether a
 * key may write is not decided here but in the statement that writes.
 */
export function createAuthenticator(options: {
  db: Kysely<DB>
  verify: Verify
  clock: Clock
  limit: FailureLimit
}): Authenticator {
  const { db, verify, clock, limit } = options
  const cache = new Map<string, RegisteredKey>()

  const lookUp = async (signed: SignedRequest, wasKnown: boolean): Promise<Authenticated> => {
    const key = await findKey(db, signed.keyId)
    // a key that was known is not the signature's, and never will be: the look-up is for the time it takes
    const isGenuine = !wasKnown && verify(key?.publicKey ?? NOBODY, signed.base, signed.signatureBytes)
    if (key === null || !isGenuine)
      throw new Problem('bad-signature', 'no active key with this keyid made this signature')
    cache.set(key.id, key)
    return { key, signed }
  }

  const countFailure = (request: FastifyRequest, error: unknown): void => {
    if (error instanceof Problem && error.problem !== 'malformed') limit.count(request.ip)
  }

  return {
    authenticate(request) {
      try {
        const signed = readSignedRequest(readHead(request))
        checkFreshness(signed, clock())
        const known = cache.get(signed.keyId)
        if (known !== undefined && verify(known.publicKey, signed.base, signed.signatureBytes))
          return { key: known, signed }
        return lookUp(signed, known !== undefined).catch((error: unknown) => {
          countFailure(request, error)
          throw error
        })
      } catch (error) {
        countFailure(request, error)
        throw error
      }
    },
  }
}
