import type { ProblemName } from '../protocol/problems.ts'
import type { KeyStatus } from './keys.ts'

/** Why a request may not write, as the problem it is answered with; `forbidden` is version 0 after version 1. */
export type KeyRefusal = Extract<
  ProblemName,
  'revoked-key' | 'pending-approval' | 'bad-signature' | 'forbidden'
>

/**
 * The one place that says whether a key may write. The keys of an archived system are refused like revoked ones; a key
 * that configuration no longer declares is as good as unknown (protocol.md, "Keys").
 */
export function refusalOf(key: { status: KeyStatus; archived: boolean }): KeyRefusal | null {
  if (key.status === 'pending') return 'pending-approval'
  if (key.status === 'revoked') return 'revoked-key'
  if (key.status === 'inactive') return 'bad-signature'
  return key.archived ? 'revoked-key' : null
}
