import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { generateSeed, privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { Problem } from '../../src/protocol/problems.ts'
import { readAgentSignature, readAnyForm } from '../../src/protocol/signature-headers.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { checkContentDigest, readSignedRequest } from '../../src/protocol/verify.ts'
import { readVersion0Signature } from '../../src/protocol/v0.ts'

const KEY = privateKeyFromSeed(generateSeed())
const body = fc.uint8Array({ maxLength: 300 })
const host = fc.domain()
const path = fc.webPath().filter((text) => text.startsWith('/'))
const createdSecs = fc.nat(10 ** 10)
const method = fc.constantFrom('POST', 'PUT')
const request = fc.record({ method, authority: host, path, body, createdSecs })

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never

function signedHead(signed: Request) {
  const headers = signRequest({ ...signed, key: KEY })
  return {
    method: signed.method,
    authority: signed.authority,
    path: signed.path,
    contentDigest: headers['content-digest'],
    signatureInput: headers['signature-input'],
    signature: headers.signature,
  }
}

/** Text in which a few places were overwritten, removed or doubled: close to the real thing, where mistakes hide. */
const damaged = (text: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        length: fc.nat(8),
        insert: fc.oneof(
          fc.constant(''),
          fc.string({ maxLength: 4 }),
          fc.constantFrom(
            ';',
            '"',
            '\\',
            ',',
            '=',
            ':',
            '?1',
            '0',
            '1.5',
            '-',
            '@',
            ' ',
            '\t',
            '()',
            ';tag="x"',
            ', a=1',
            'é',
            '\0',
          ),
        ),
      }),
      { maxLength: 3 },
    )
    .map((edits) =>
      edits.reduce((now, { at, length, insert }) => now.slice(0, at) + insert + now.slice(at + length), text),
    )

const attempt = <T>(act: () => T): T | { problem: string; message: string } => {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { problem: error.problem, message: error.message }
  }
}

describe('any request', () => {
  test('that signRequest signs is read and verified', () => {
    fc.assert(
      fc.property(request, (unsigned) => {
        const head = signedHead(unsigned)
        const signed = readSignedRequest(head)
        expect(signed.createdSecs).toBe(unsigned.createdSecs)
        expect(verifyWithNode(KEY.publicKey, signed.base, signed.signatureBytes)).toBe(true)
        expect(() => checkContentDigest(signed.covered.contentDigest, unsigned.body)).not.toThrow()
      }),
    )
  })

  test('is verified from what evidence keeps: the two headers and the covered values', () => {
    fc.assert(
      fc.property(request, (unsigned) => {
        const { signatureInput, signature, ...head } = signedHead(unsigned)
        const { covered, base } = readSignedRequest({ ...head, signatureInput, signature })
        expect(readSignedRequest({ ...covered, signatureInput, signature }).base).toEqual(base)
      }),
    )
  })

  test('does not verify as another request', () => {
    fc.assert(
      fc.property(request, request, (one, other) => {
        const head = signedHead(one)
        const { signature } = signedHead(other)
        const signed = readSignedRequest({ ...head, signature })
        const isSame = readSignedRequest(signedHead(other)).base.equals(signed.base)
        expect(verifyWithNode(KEY.publicKey, signed.base, signed.signatureBytes)).toBe(isSame)
      }),
    )
  })
})

const header = (text: string) =>
  fc.oneof({ weight: 4, arbitrary: damaged(text) }, fc.string({ unit: 'binary' }), fc.constant(undefined))

describe('signature headers', () => {
  const { signatureInput, signature, contentDigest, ...head } = signedHead({
    method: 'POST',
    authority: 'forge.example.org',
    path: '/agent/heartbeat',
    body: Buffer.from('{}'),
    createdSecs: 1_795_434_334,
  })
  test('of any content raise a problem or are read, and nothing else happens', () => {
    const heads = fc.record({
      method: fc.oneof(fc.constant('POST'), fc.string({ unit: 'binary' })),
      authority: fc.oneof(fc.constant(head.authority), fc.string({ unit: 'binary' })),
      path: fc.oneof(fc.constant(head.path), fc.string({ unit: 'binary' })),
      contentDigest: header(contentDigest),
      signatureInput: header(signatureInput),
      signature: header(signature),
    })
    fc.assert(
      fc.property(heads, (any) => {
        const signed = attempt(() => readSignedRequest(any))
        if ('problem' in signed) expect(['malformed', 'unsigned']).toContain(signed.problem)
        else expect(signed.signatureBytes).toHaveLength(64)
      }),
      { numRuns: 3000 },
    )
  })

  test('are read the same by the fast path and by the parser of structured fields', () => {
    fc.assert(
      fc.property(damaged(signatureInput), damaged(signature), (input, value) => {
        expect(attempt(() => readAgentSignature(input, value))).toEqual(
          attempt(() => readAnyForm(input, value)),
        )
      }),
      { numRuns: 3000 },
    )
  })

  test('of any time and key id are read the same by both', () => {
    const created = fc.stringMatching(/^(?:-|0{0,2})[0-9]{1,16}$/)
    const keyId = fc.oneof(fc.stringMatching(/^[0-9A-Za-z_-]{0,50}$/), fc.string({ maxLength: 50 }))
    const bytes = fc
      .oneof(fc.constant(64), fc.constantFrom(0, 62, 63, 65, 66))
      .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
      .map((array) => Buffer.from(array).toString('base64'))
    const base64 = fc.oneof(
      bytes,
      bytes.map((text) => text.replace(/.==$/, 'B==')),
    )
    fc.assert(
      fc.property(created, keyId, base64, (time, id, text) => {
        const input = signatureInput.replace(/created=\d+/, `created=${time}`).replace(KEY.id, () => id)
        const value = `cf=:${text}:`
        expect(attempt(() => readAgentSignature(input, value))).toEqual(
          attempt(() => readAnyForm(input, value)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('Content-Digest of any content is malformed or matches', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(contentDigest), fc.string({ unit: 'binary' })), (text) => {
        const checked = attempt(() => checkContentDigest(text, Buffer.from('{}')))
        if (checked !== undefined) expect(checked.problem).toBe('malformed')
      }),
      { numRuns: 1000 },
    )
  })

  test('of version 0 of any content raise a problem or are read', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined })
    fc.assert(
      fc.property(text, text, (keyId, value) => {
        attempt(() => readVersion0Signature({ keyId, signature: value }))
      }),
    )
  })
})
