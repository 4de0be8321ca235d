import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** `sha256:` and the hexadecimal SHA-256 of `bytes`: of a body, the id of the report. */
export function sha256Id(bytes: Uint8Array | string): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/**
 * The state digest: SHA-256 over the RFC 8785 canonical JSON of the members `fingerprint` and `system`, in the form of
 * `sha256Id`. Other members of `state` are left out, unknown members inside the two are not. Both sides give what
 * JSON can carry: the agent the objects it will serialise, the server the document as received.
 */
export function stateDigest({ fingerprint, system }: { fingerprint: unknown; system: unknown }): string {
  const canonical = canonicalize({ fingerprint, system })
  if (canonical === undefined || fingerprint === undefined || system === undefined) {
    throw new TypeError('a state digest needs a fingerprint and a system')
  }
  return sha256Id(canonical)
}

/** The value of `Content-Digest` for these bytes (RFC 9530, section 2). */
export function contentDigest(bytes: Uint8Array): string {
  return `sha-256=:${hash('sha256', bytes, 'base64')}:`
}
