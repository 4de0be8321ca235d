import { createHash } from 'node:crypto'
import { contentDigest } from './digests.ts'
import { Problem } from './problems.ts'
import { canonicalAuthority, coveredLines, signatureBase, type Covered } from './signature-base.ts'
import { parseDictionaryField, readAgentSignature } from './signature-headers.ts'

/** How far `created` may be from the server's clock, before or after. */
export const MAX_CLOCK_DISTANCE_SECS = 300

/** What of a request a signature speaks about: `authority` is the Host header, `path` the target without a query. */
export interface RequestHead {
  method: string
  authority: string | undefined
  path: string
  contentDigest: string | undefined
  signatureInput: string | undefined
  signature: string | undefined
}

/**
 * A request whose headers are in order and whose signature is still to be checked: `signatureBytes` (64) over `base` by
 * the key `keyId`. Times are seconds since the epoch.
 */
export interface SignedRequest {
  keyId: string
  createdSecs: number
  expiresSecs: number | null
  base: Buffer
  signatureBytes: Uint8Array
  covered: Covered
}

/**
 * Reads the signature headers of an agent's request strictly (protocol.md, "Signed request"; RFC 9421, section 3.2,
 * without the cryptography). Throws Problem `unsigned` when there is no signature with our tag, `malformed` when the
 * headers are not in the one form that is accepted. Does no look-up and looks at no clock.
 */
export function readSignedRequest(head: RequestHead): SignedRequest {
  const { signatureInput, signature } = head
  if (signatureInput === undefined || signature === undefined) {
    throw new Problem('unsigned', 'the request has to carry Signature-Input and Signature')
  }
  const { components, parameters, ...read } = readAgentSignature(signatureInput, signature)
  const covered = readCovered(head)
  const base = signatureBase(coveredLines(components, covered), parameters)
  return { ...read, base: Buffer.from(base, 'latin1'), covered }
}

/** Values that would be more than one line of the signature base, or not one text in every encoding. */
const NOT_VISIBLE_ASCII = /[^\x21-\x7e]/
const NOT_FIELD_TEXT = /[^\t\x20-\x7e]/

function readCovered(head: RequestHead): Covered {
  const { method, authority, path } = head
  if (authority === undefined || authority === '' || NOT_VISIBLE_ASCII.test(authority)) {
    throw new Problem('malformed', 'the request has no usable Host')
  }
  if (NOT_VISIBLE_ASCII.test(method)) throw new Problem('malformed', 'the method is not a token')
  if (!path.startsWith('/') || path.includes('?') || NOT_VISIBLE_ASCII.test(path)) {
    throw new Problem('malformed', 'the request target has to be a path without a query string')
  }
  const { contentDigest: digest } = head
  if (digest === undefined || NOT_FIELD_TEXT.test(digest)) {
    throw new Problem('malformed', 'the request has no usable Content-Digest')
  }
  return { method, authority: canonicalAuthority(authority), path, contentDigest: digest.trim() }
}

/**
 * Throws Problem `stale-signature` unless the signature was made within `MAX_CLOCK_DISTANCE_SECS` of `nowMs`
 * (milliseconds since the epoch) and has not expired.
 */
export function checkFreshness(
  signed: Pick<SignedRequest, 'createdSecs' | 'expiresSecs'>,
  nowMs: number,
): void {
  const { createdSecs, expiresSecs } = signed
  const distanceMs = nowMs - createdSecs * 1000
  if (Math.abs(distanceMs) > MAX_CLOCK_DISTANCE_SECS * 1000) {
    const where = distanceMs > 0 ? 'behind' : 'ahead of'
    const seconds = Math.round(Math.abs(distanceMs) / 1000)
    throw new Problem(
      'stale-signature',
      `created is ${seconds} s ${where} this server's clock; at most ${MAX_CLOCK_DISTANCE_SECS} s are accepted`,
    )
  }
  if (expiresSecs !== null && nowMs > expiresSecs * 1000) {
    throw new Problem('stale-signature', `the signature expired at ${expiresSecs}, which is past`)
  }
}

/**
 * Throws Problem `malformed` unless the `sha-256` member of a Content-Digest is the digest of `body` (RFC 9530, section
 * 2). Members of other algorithms are ignored: they may be wrong, since the signature covers the header as it is.
 */
export function checkContentDigest(header: string, body: Uint8Array): void {
  if (header === contentDigest(body)) return
  const member: unknown = parseDictionaryField('Content-Digest', header).get('sha-256')?.[0]
  if (!(member instanceof ArrayBuffer)) {
    throw new Problem('malformed', 'Content-Digest has no member sha-256 that is a byte sequence')
  }
  if (!createHash('sha256').update(body).digest().equals(Buffer.from(member))) {
    throw new Problem('malformed', 'Content-Digest: sha-256 is not the digest of the body')
  }
}
