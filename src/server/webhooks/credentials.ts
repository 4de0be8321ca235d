import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../../protocol/problems.ts'
import { type Provider, readHeaders, signatureHeaders } from './providers.ts'

/** What proves that the sender knows a secret. */
export type Credential =
  /** HMAC-SHA-256 of the body; of the form's `payload` where the body is a form and `ofPayload`. */
  | { kind: 'hmac'; digest: Buffer; ofPayload: boolean }
  /** SHA-256 of the secret itself, which was sent. */
  | { kind: 'token'; digest: Buffer }
  /** HMAC-SHA-256 of `signedHead` and the body, one for each secret the sender has (Standard Webhooks). */
  | { kind: 'signed'; digests: Buffer[]; signedHead: string }

/** A signed webhook whose time is farther off is refused. */
const MAX_AGE_SECS = 300

/**
 * The credential in a webhook's headers. Throws Problem `unsigned` where there is none, `bad-signature` where it cannot
 * be one, `stale-signature` where its time is more than 5 minutes from `nowMs`.
 */
export function readCredential(provider: Provider, headers: IncomingHttpHeaders, nowMs: number): Credential {
  if (provider === 'gitlab') return readGitlab(headers, nowMs)
  const { signature } = readHeaders(provider, headers)
  if (signature === null) throw unsigned(provider)
  // Gitea and Forgejo sign the JSON also where they send it in a form
  const ofPayload = provider === 'gitea' || provider === 'forgejo'
  return { kind: 'hmac', digest: readHex(signature, ofPayload), ofPayload }
}

/** GitHub and the generic form name the algorithm, Gitea and Forgejo do not. */
function readHex(text: string, isBare: boolean): Buffer {
  const [, prefix = '', hex] = /^(sha256=)?([0-9a-f]{64})$/.exec(text) ?? []
  if (hex === undefined || (prefix === '') !== isBare)
    throw new Problem('bad-signature', 'the signature is no HMAC-SHA-256 in hex')
  return Buffer.from(hex, 'hex')
}

function readGitlab(headers: IncomingHttpHeaders, nowMs: number): Credential {
  const signature = headers['webhook-signature']
  if (signature !== undefined) return readSigned(String(signature), headers, nowMs)
  const token = headers['x-gitlab-token']
  if (token === undefined || token === '') throw unsigned('gitlab')
  // Node reads headers as Latin-1
  return { kind: 'token', digest: sha256(Buffer.from(String(token), 'latin1')) }
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function readSigned(signature: string, headers: IncomingHttpHeaders, nowMs: number): Credential {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers
  if (typeof id !== 'string' || typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp))
    throw new Problem('bad-signature', 'a signed webhook needs webhook-id and webhook-timestamp')
  const digests = signature
    .split(' ')
    .slice(0, 10)
    .filter((each) => /^v1,[A-Za-z0-9+/]{43}=$/.test(each))
    .map((each) => Buffer.from(each.slice('v1,'.length), 'base64'))
  if (digests.length === 0)
    throw new Problem('bad-signature', 'webhook-signature holds no signature of the form "v1,<base64>"')
  const age = nowMs / 1000 - Number(timestamp)
  if (Math.abs(age) > MAX_AGE_SECS)
    throw new Problem('stale-signature', `webhook-timestamp is ${Math.round(Math.abs(age))} s from now`)
  return { kind: 'signed', digests, signedHead: `${id}.${timestamp}.` }
}

function unsigned(provider: Provider): Problem {
  return new Problem(
    'unsigned',
    `the webhook has no ${signatureHeaders(provider)}: set a secret where it is made`,
  )
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
