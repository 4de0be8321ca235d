import { sign } from 'node:crypto'
import { contentDigest } from './digests.ts'
import type { PrivateKey } from './keys.ts'
import {
  AGENT_TAG,
  canonicalAuthority,
  COMPONENTS,
  COVERED_LIST,
  coveredLines,
  signatureBase,
} from './signature-base.ts'

/** `authority` as in the Host header that will be sent, `path` without a query, `createdSecs` since the epoch. */
export interface RequestToSign {
  method: string
  authority: string
  path: string
  body: Uint8Array
  key: PrivateKey
  createdSecs: number
}

/** The headers a signed request carries besides Host and Content-Type. */
export interface SignatureHeaders {
  'content-digest': string
  'signature-input': string
  signature: string
}

/** Signs a request with HTTP Message Signatures (RFC 9421) over a body digest (RFC 9530), as protocol.md has it. */
export function signRequest(request: RequestToSign): SignatureHeaders {
  const { method, authority, path, body, key, createdSecs } = request
  const covered = {
    method,
    authority: canonicalAuthority(authority),
    path,
    contentDigest: contentDigest(body),
  }
  const parameters = `${COVERED_LIST};created=${createdSecs};keyid="${key.id}";alg="ed25519";tag="${AGENT_TAG}"`
  const base = signatureBase(coveredLines(COMPONENTS, covered), parameters)
  return {
    'content-digest': covered.contentDigest,
    'signature-input': `cf=${parameters}`,
    signature: `cf=:${sign(null, Buffer.from(base, 'latin1'), key.keyObject).toString('base64')}:`,
  }
}
