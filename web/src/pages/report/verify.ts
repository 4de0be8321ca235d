import { bytesOfBase64 } from '../../../../src/protocol/base64.ts'
import { hasSmallOrder } from '../../../../src/protocol/edwards-point.ts'
import { coveredLines, signatureBase } from '../../../../src/protocol/signature-base.ts'
import { parseDictionaryField, readAgentSignature } from '../../../../src/protocol/signature-headers.ts'
import type { Answer } from '../../api/client.ts'
import { recordOf } from '../../keys.ts'

export type SignedReport = Answer<'getReport'>

/** One step of the verification: what has to be so, what was found, and whether that is so; null: it cannot be told. */
export interface Check {
  name: string
  found: string
  passed: boolean | null
}

/**
 * Checks a report with nothing but what the server hands out as its evidence, and with the browser's own cryptography: the
 * server's word is taken for nothing, but for whose key it is. docs/evidence.md does the same with openssl.
 */
export async function verifyReport(report: SignedReport): Promise<Check[]> {
  return [
    await checkId(report),
    ...(report.evidence.signature_input === null ? [] : [await checkContentDigest(report)]),
    await checkKeyId(report),
    await checkSignature(report),
    ...(report.protocol === 0 ? [] : [checkListed(report)]),
  ]
}

/** Without a secure context (W3C Secure Contexts) browsers have no cryptography; older ones have no Ed25519. */
export async function whyImpossible(): Promise<string | null> {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- it is not there without a secure context
  if (globalThis.crypto?.subtle === undefined)
    return 'This page was not loaded over TLS, and browsers do no cryptography on such a page. Open the dashboard over https, or verify the evidence with openssl.'
  try {
    await crypto.subtle.importKey('raw', A_KEY, 'Ed25519', false, ['verify'])
    return null
  } catch {
    return 'This browser has no Ed25519 (Firefox has it from 129 on, Chromium from 137 on). Take a newer one, or verify the evidence with openssl.'
  }
}

/** The public key of RFC 8032, section 7.1, test 1: any valid one does. */
const A_KEY = bytesOfBase64('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=')

async function checkId({ id, evidence }: SignedReport): Promise<Check> {
  const found = await idOf(evidence)
  return {
    name: 'The id of the report is the SHA-256 of the body',
    found,
    passed: found === id,
  }
}

/** The id that the body has. */
export async function idOf({ body }: SignedReport['evidence']): Promise<string> {
  return `sha256:${toHex(await sha256(bytesOf(body)))}`
}

async function checkContentDigest({ evidence }: SignedReport): Promise<Check> {
  const digest = toBase64(await sha256(bytesOf(evidence.body)))
  const signed = signedDigest(evidence.content_digest ?? '')
  return {
    name: 'Content-Digest, which is signed, is that of the body',
    found: `sha-256=:${digest}:`,
    passed: signed === digest,
  }
}

/** Of all digests that the header may name the one of SHA-256, in base64. */
function signedDigest(header: string): string | null {
  try {
    const member: unknown = parseDictionaryField('Content-Digest', header).get('sha-256')?.[0]
    return member instanceof ArrayBuffer ? toBase64(new Uint8Array(member)) : null
  } catch {
    return null
  }
}

/** RFC 7638 and RFC 8037, section 2: protocol/keys.ts computes the same with `node:crypto`. */
async function checkKeyId({ key_id: keyId, evidence }: SignedReport): Promise<Check> {
  const x = toBase64Url(bytesOf(evidence.public_key))
  const jwk = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })
  const found = toBase64Url(await sha256(new TextEncoder().encode(jwk)))
  const named = keyIdOf(evidence)
  return {
    name: 'The key id is the thumbprint of the public key',
    found,
    passed: found === keyId && (named === null || named === keyId),
  }
}

/** What the signature says its key is; version 0 says nothing. */
function keyIdOf({ signature_input: input, signature }: SignedReport['evidence']): string | null {
  if (input === null) return null
  try {
    return readAgentSignature(input, signature).keyId
  } catch {
    return ''
  }
}

async function checkSignature({ evidence }: SignedReport): Promise<Check> {
  const isVersion0 = evidence.signature_input === null
  const name = isVersion0
    ? 'The signature over the body is one of that key (Ed25519)'
    : 'The signature over method, authority, path and digest is one of that key (Ed25519, RFC 9421)'
  try {
    const { signed, signature } = signedBytes(evidence)
    const passed = await verifyEd25519(bytesOf(evidence.public_key), signed, signature)
    return { name, found: passed ? 'The signature is valid' : 'The signature is not valid', passed }
  } catch (error) {
    return { name, found: error instanceof Error ? error.message : String(error), passed: false }
  }
}

/** What was signed: the signature base, or with version 0 the body itself. Throws when the headers cannot be read. */
export function signedBytes(evidence: SignedReport['evidence']): {
  signed: Uint8Array<ArrayBuffer>
  signature: Uint8Array<ArrayBuffer>
} {
  const { signature_input: input, content_digest: contentDigest, method, authority, path } = evidence
  if (input === null) return { signed: bytesOf(evidence.body), signature: bytesOf(evidence.signature) }
  const { components, parameters, signatureBytes } = readAgentSignature(input, evidence.signature)
  const covered = { method, authority, path, contentDigest: contentDigest ?? '' }
  const base = signatureBase(coveredLines(components, covered), parameters)
  return { signed: new TextEncoder().encode(base), signature: signatureBytes }
}

/** Refuses what the server refuses (protocol/ed25519.ts): libraries differ on points of small order. */
async function verifyEd25519(
  publicKey: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  if (hasSmallOrder(publicKey) || hasSmallOrder(signature.subarray(0, 32))) return false
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  return await crypto.subtle.verify('Ed25519', key, signature, signed)
}

/** What this page says beside the body has to be what the signed body says. */
function checkListed(report: SignedReport): Check {
  const name = 'What is listed of the report is what the body says'
  let said: Readonly<Record<string, unknown>> = {}
  try {
    said = recordOf(JSON.parse(textOf(report)))
  } catch {
    return { name, found: 'The body is not JSON', passed: false }
  }
  const { sequence, reason, previous, dropped } = report
  const listed = { sequence, reason, previous, dropped }
  const differs = Object.entries(listed).filter(([member, value]) => (said[member] ?? null) !== value)
  return {
    name,
    found:
      differs.length === 0
        ? Object.keys(listed).join(', ')
        : `differs: ${differs.map(([member]) => member).join(', ')}`,
    passed: differs.length === 0,
  }
}

/** The body as text, as it was received. */
export function textOf({ evidence }: SignedReport): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(evidence.body))
}

/** No bytes for what is not base64: nothing is the digest or the signature of that. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return bytesOfBase64(base64)
  } catch {
    return new Uint8Array()
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
