import { sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { contentDigest } from '../../src/protocol/digests.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { canonicalAuthority } from '../../src/protocol/signature-base.ts'
import {
  checkContentDigest,
  checkFreshness,
  readSignedRequest,
  type RequestHead,
  type SignedRequest,
} from '../../src/protocol/verify.ts'
import { problemOf } from '../support/problems.ts'

const KEY = privateKeyFromSeed(Buffer.alloc(32, 7))
const BODY = Buffer.from('{"version":1}')
const CREATED = 1_795_434_334
const LIST = '("@method" "@authority" "@path" "content-digest")'
const TAG = 'tag="crystal-forge-agent"'
const SIGNATURE = `cf=:${Buffer.alloc(64, 1).toString('base64')}:`

function createHead(changes: Partial<RequestHead> = {}): RequestHead {
  const headers = signRequest({
    method: 'POST',
    authority: 'forge.example.org',
    path: '/agent/heartbeat',
    body: BODY,
    key: KEY,
    createdSecs: CREATED,
  })
  return {
    method: 'POST',
    authority: 'forge.example.org',
    path: '/agent/heartbeat',
    contentDigest: headers['content-digest'],
    signatureInput: headers['signature-input'],
    signature: headers.signature,
    ...changes,
  }
}

/** A head that is signed with these parameters of the signature, whatever they are. */
function signWith(
  parameters: string,
  label = 'cf',
  lines = ['@method', '@authority', '@path', 'content-digest'],
) {
  const values: Record<string, string> = {
    '@method': 'POST',
    '@authority': 'forge.example.org',
    '@path': '/agent/heartbeat',
    'content-digest': contentDigest(BODY),
  }
  const base = lines.map((name) => `"${name}": ${values[name]}\n`).join('')
  const bytes = sign(null, Buffer.from(`${base}"@signature-params": ${parameters}`), KEY.keyObject)
  return createHead({
    signatureInput: `${label}=${parameters}`,
    signature: `${label}=:${bytes.toString('base64')}:`,
  })
}

const isGenuine = ({ base, signatureBytes }: SignedRequest): boolean =>
  verifyWithNode(KEY.publicKey, base, signatureBytes)

describe('a signed request is accepted', () => {
  test('as signRequest makes it', () => {
    const signed = readSignedRequest(createHead())
    expect(signed).toMatchObject({ keyId: KEY.id, createdSecs: CREATED, expiresSecs: null })
    expect(signed.covered).toEqual({
      method: 'POST',
      authority: 'forge.example.org',
      path: '/agent/heartbeat',
      contentDigest: contentDigest(BODY),
    })
    expect(isGenuine(signed)).toBe(true)
  })

  test.each([
    ['under another label', signWith(`${LIST};created=${CREATED};keyid="${KEY.id}";${TAG}`, 'sig1')],
    ['without alg', signWith(`${LIST};created=${CREATED};keyid="${KEY.id}";${TAG}`)],
    [
      'with all parameters in another order',
      signWith(
        `${LIST};${TAG};nonce="n;1";alg="ed25519";keyid="${KEY.id}";expires=${CREATED + 9};created=${CREATED}`,
      ),
    ],
    [
      'with the components in another order',
      signWith(
        `("content-digest" "@path" "@method" "@authority");created=${CREATED};keyid="${KEY.id}";${TAG}`,
        'cf',
        ['content-digest', '@path', '@method', '@authority'],
      ),
    ],
  ])('%s', (_, head) => {
    const signed = readSignedRequest(head)
    expect(signed.keyId).toBe(KEY.id)
    expect(isGenuine(signed)).toBe(true)
  })

  test('with white space that structured fields allow, since the base is built from what was parsed', () => {
    const head = createHead()
    const signatureInput = `  ${head.signatureInput?.replaceAll(';', ';  ').replaceAll('" "', '"   "')} `
    expect(isGenuine(readSignedRequest({ ...head, signatureInput, signature: `  ${head.signature}` }))).toBe(
      true,
    )
  })

  test('beside signatures with other tags, whatever those cover', () => {
    const head = createHead()
    const signatureInput = `proxy=("@status";req);created=1;tag="other", ${head.signatureInput}, last=("x");keyid=?1`
    const signed = readSignedRequest({
      ...head,
      signatureInput,
      signature: `proxy=:AA==:, ${head.signature}`,
    })
    expect(isGenuine(signed)).toBe(true)
  })

  test('with the Host in another case and with the default port', () => {
    for (const authority of ['FORGE.example.org', 'forge.example.org:443', 'forge.example.org:80']) {
      expect(isGenuine(readSignedRequest(createHead({ authority })))).toBe(true)
    }
    const other = readSignedRequest(createHead({ authority: 'forge.example.org:3000' }))
    expect(other.covered.authority).toBe('forge.example.org:3000')
    expect(isGenuine(other)).toBe(false)
  })

  test('with white space around its Content-Digest', () => {
    expect(isGenuine(readSignedRequest(createHead({ contentDigest: ` \t${contentDigest(BODY)} ` })))).toBe(
      true,
    )
  })
})

describe('a request is not a signed one', () => {
  test.each([
    ['without Signature-Input', { signatureInput: undefined }],
    ['without Signature', { signature: undefined }],
    ['with an empty Signature-Input', { signatureInput: '' }],
    ['with only another tag', { signatureInput: `cf=${LIST};created=1;keyid="k";tag="other"` }],
    ['without a tag', { signatureInput: `cf=${LIST};created=1;keyid="k"` }],
    ['with the tag as a token', { signatureInput: `cf=${LIST};created=1;keyid="k";tag=crystal-forge-agent` }],
  ])('%s', (_, changes) => {
    expect(problemOf(() => readSignedRequest(createHead(changes))).problem).toBe('unsigned')
  })
})

describe('a signed request is malformed', () => {
  const input = (parameters: string, list = LIST): Partial<RequestHead> => ({
    signatureInput: `cf=${list}${parameters}`,
    signature: SIGNATURE,
  })
  const good = `;created=${CREATED};keyid="k";${TAG}`

  test.each([
    ['Signature-Input that is no dictionary', { signatureInput: 'cf=(' }],
    ['Signature that is no dictionary', { signature: 'cf=:é:' }],
    [
      'two signatures with our tag',
      {
        signatureInput: `a=${LIST}${good}, b=${LIST}${good}`,
        signature: `${SIGNATURE.replace('cf', 'a')}, ${SIGNATURE.replace('cf', 'b')}`,
      },
    ],
    ['a member that is no list', { signatureInput: `cf=1;${TAG}` }],
    ['a member without a value', { signatureInput: `cf;${TAG}` }],
    ['no components', input(good, '()')],
    ['three components', input(good, '("@method" "@authority" "@path")')],
    ['five components', input(good, '("@method" "@authority" "@path" "content-digest" "date")')],
    ['a component twice', input(good, '("@method" "@authority" "@path" "@path")')],
    [
      'all components and one of them again',
      input(good, '("@method" "@authority" "@path" "content-digest" "@path")'),
    ],
    ['another component', input(good, '("@method" "@authority" "@target-uri" "content-digest")')],
    ['a component in another case', input(good, '("@method" "@authority" "@path" "Content-Digest")')],
    ['a component with a parameter', input(good, '("@method" "@authority" "@path" "content-digest";sf)')],
    ['a component as a token', input(good, '("@method" "@authority" "@path" content-digest)')],
    ['no created', input(`;keyid="k";${TAG}`)],
    ['created as a string', input(`;created="${CREATED}";keyid="k";${TAG}`)],
    ['created as a decimal', input(`;created=${CREATED}.0;keyid="k";${TAG}`)],
    ['created as a date', input(`;created=@${CREATED};keyid="k";${TAG}`)],
    ['created without a value', input(`;created;keyid="k";${TAG}`)],
    ['expires as a decimal', input(`;created=1; expires=2.5;keyid="k";${TAG}`)],
    ['expires as a string', input(`;created=1;expires="2";keyid="k";${TAG}`)],
    ['no keyid', input(`;created=1;${TAG}`)],
    ['keyid as a token', input(`;created=1;keyid=k;${TAG}`)],
    ['keyid as bytes', input(`;created=1;keyid=:AAAA:;${TAG}`)],
    ['nonce as a number', input(`;created=1;keyid="k";nonce=1;${TAG}`)],
    ['another algorithm', input(`;created=1;keyid="k";alg="rsa-v1_5-sha256";${TAG}`)],
    ['the algorithm as a token', input(`;created=1;keyid="k";alg=ed25519;${TAG}`)],
    ['another parameter', input(`;created=1;keyid="k";${TAG};extra=1`)],
    ['a signature under another label', { signature: SIGNATURE.replace('cf=', 'fc=') }],
    ['a signature that is a string', { signature: 'cf="c2ln"' }],
    ['a signature that is a list', { signature: `cf=(${SIGNATURE.slice(3)})` }],
    ['a signature of 63 bytes', { signature: `cf=:${Buffer.alloc(63).toString('base64')}:` }],
    ['a signature of 65 bytes', { signature: `cf=:${Buffer.alloc(65).toString('base64')}:` }],
    ['a signature in base64url', { signature: `cf=:${Buffer.alloc(64, 0xff).toString('base64url')}:` }],
    ['no Content-Digest', { contentDigest: undefined }],
    ['a Content-Digest of two lines', { contentDigest: 'sha-256=:AAAA:\n"@path": /x' }],
    ['a Content-Digest outside of ASCII', { contentDigest: 'sha-256="é"' }],
    ['no Host', { authority: undefined }],
    ['an empty Host', { authority: '' }],
    ['a Host with white space', { authority: 'forge example' }],
    ['a Host of two lines', { authority: 'forge\n"@path": /x' }],
    ['a query string', { path: '/agent/heartbeat?a=1' }],
    ['an absolute target', { path: 'http://forge.example.org/agent/heartbeat' }],
    ['a path with a line break', { path: '/agent\n' }],
    ['a path outside of ASCII', { path: '/agent/é' }],
    ['a method with a line break', { method: 'POST\n' }],
  ])('with %s', (_, changes) => {
    const problem = problemOf(() => readSignedRequest(createHead(changes)))
    expect(problem.problem).toBe('malformed')
    expect(problem.message).not.toBe('')
  })

  test('unless what looks like a decimal stands inside of a string', () => {
    const { signatureInput } = createHead()
    const head = createHead({ signatureInput: `${signatureInput};nonce="\\";created=1.5"` })
    expect(readSignedRequest(head).createdSecs).toBe(CREATED)
  })
})

describe('the signature covers', () => {
  test.each([
    ['the method', { method: 'PUT' }],
    ['the authority', { authority: 'other.example.org' }],
    ['the path', { path: '/agent/state' }],
    ['the content digest', { contentDigest: contentDigest(Buffer.from('{}')) }],
  ])('%s', (_, changes) => {
    expect(isGenuine(readSignedRequest(createHead(changes)))).toBe(false)
  })

  test.each([
    ['created', `created=${CREATED}`, `created=${CREATED + 1}`],
    ['keyid', KEY.id, `${KEY.id}x`],
    ['alg', ';alg="ed25519"', ''],
  ])('its own parameter %s', (_, was, is) => {
    const signatureInput = createHead().signatureInput?.replace(was, is)
    expect(isGenuine(readSignedRequest(createHead({ signatureInput })))).toBe(false)
  })
})

const at = (createdSecs: number, expiresSecs: number | null = null) => ({ createdSecs, expiresSecs })

describe('freshness', () => {
  const nowMs = CREATED * 1000

  test('lasts 300 s to both sides', () => {
    expect(() => checkFreshness(at(CREATED - 300), nowMs)).not.toThrow()
    expect(() => checkFreshness(at(CREATED + 300), nowMs)).not.toThrow()
    for (const created of [CREATED - 301, CREATED + 301, 0, -CREATED, Number.MAX_SAFE_INTEGER]) {
      expect(problemOf(() => checkFreshness(at(created), nowMs)).problem).toBe('stale-signature')
    }
    expect(problemOf(() => checkFreshness(at(CREATED - 300), nowMs + 1)).problem).toBe('stale-signature')
  })

  test('says how far the clocks are apart', () => {
    expect(problemOf(() => checkFreshness(at(CREATED - 301), nowMs)).message).toContain('301 s behind')
    expect(problemOf(() => checkFreshness(at(CREATED + 3600), nowMs)).message).toContain('3600 s ahead of')
  })

  test('ends where the signature expires', () => {
    expect(() => checkFreshness(at(CREATED - 10, CREATED), nowMs)).not.toThrow()
    expect(problemOf(() => checkFreshness(at(CREATED - 10, CREATED - 1), nowMs)).problem).toBe(
      'stale-signature',
    )
  })
})

describe('a Content-Digest', () => {
  const digest = contentDigest(BODY)

  test.each([
    ['alone', digest],
    ['between others, which are ignored', `sha-512=:AAAA:, ${digest}, md5=:AAAA:`],
    ['with a parameter', `${digest};a=1`],
  ])('matches %s', (_, header) => {
    expect(() => checkContentDigest(header, BODY)).not.toThrow()
  })

  test.each([
    ['of another body', contentDigest(Buffer.from('{}'))],
    ['without sha-256', digest.replace('sha-256', 'sha-512')],
    ['that is a string', digest.replaceAll(':', '"')],
    ['that is a list', digest.replace('=:', '=(:').concat(')')],
    ['that is too short', 'sha-256=:AAAA:'],
    ['that is empty', ''],
    ['that is no dictionary', 'sha-256=:'],
    ['whose last of two is wrong', `${digest}, sha-256=:AAAA:`],
  ])('%s is malformed', (_, header) => {
    expect(problemOf(() => checkContentDigest(header, BODY)).problem).toBe('malformed')
  })
})

test.each([
  ['Forge.Example.org', 'forge.example.org'],
  ['forge:443', 'forge'],
  ['forge:80', 'forge'],
  ['forge:8080', 'forge:8080'],
  ['forge:4430', 'forge:4430'],
  ['[2001:DB8::80]', '[2001:db8::80]'],
  ['[2001:db8::1]:443', '[2001:db8::1]'],
])('the authority of Host %s is %s', (host, authority) => {
  expect(canonicalAuthority(host)).toBe(authority)
})
