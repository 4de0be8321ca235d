import { Problem } from '../../protocol/problems.ts'
import { type KeyRefusal, refusalOf } from '../../store/key-standing.ts'
import { findKeyStanding } from '../../store/keys.ts'
import type { ServerContext } from '../context.ts'

/**
 * Runs `parse`; when the body is bad, first makes sure that the key may write at all: a revoked key learns that it is
 * revoked, not how its documents should look. Costs a look-up only where something is wrong anyway.
 */
export async function parseAuthorised<T>(context: ServerContext, keyId: string, parse: () => T): Promise<T> {
  try {
    return parse()
  } catch (error) {
    const standing = await findKeyStanding(context.db, keyId)
    const refusal = standing === null ? null : refusalOf(standing)
    if (refusal !== null) throw refusedBy(refusal)
    throw error
  }
}

const REFUSALS: Record<KeyRefusal, string> = {
  'bad-signature': 'no active key with this keyid made this signature',
  'revoked-key': 'this key was revoked, or its system is archived; enrol a new key',
  'pending-approval': 'this key waits until an operator approves it',
  forbidden: 'this system has spoken version 1 and can no longer speak version 0',
}

export function refusedBy(problem: KeyRefusal): Problem {
  return new Problem(problem, REFUSALS[problem])
}
