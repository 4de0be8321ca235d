import { Problem } from '../../protocol/problems.ts'
import { canonicalAuthority } from '../../protocol/signature-base.ts'

/**
 * Checks that a request is meant for this server: with `public_url` or `authorities` configured, its Host has to be one
 * of them. That keeps a request captured by another server from being replayed here. Throws Problem misdirected.
 */
export function createAuthorityCheck(options: {
  publicUrl: string | null
  authorities: readonly string[]
}): (host: string | undefined) => void {
  const known = new Set(options.authorities.map((authority) => canonicalAuthority(authority)))
  if (options.publicUrl !== null) known.add(canonicalAuthority(new URL(options.publicUrl).host))
  return (host) => {
    if (known.size === 0) return
    if (host === undefined || !known.has(canonicalAuthority(host)))
      throw new Problem('misdirected', 'the Host of the request is not a name of this server')
  }
}
