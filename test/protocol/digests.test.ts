import canonicalize from 'canonicalize'
import { describe, expect, test } from 'vitest'
import { contentDigest, sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import { createFingerprint, createStateReport, createSystemState } from '../support/messages.ts'

describe('a content digest', () => {
  test('is that of the example in RFC 9530, appendix B.1', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    )
  })

  test('is that of the body of the examples in RFC 9421', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}'))).toBe(
      'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
    )
  })
})

test('an id is sha256: and hexadecimal digits', () => {
  // FIPS 180-2, appendix B.1
  expect(sha256Id(Buffer.from('abc'))).toBe(
    'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

function digestOfText(text: string): string {
  return sha256Id(Buffer.from(text))
}

/** What is sent as `text`, as a receiver has it. */
function receive(text: string): { fingerprint: unknown; system: unknown } {
  return JSON.parse(text)
}

/** RFC 8785, appendix B: the bits of a double, and its text. */
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const

describe('the canonical JSON under a state digest', () => {
  test.each(NUMBERS)('writes the double %s as %s', (bits, text) => {
    const number = Buffer.from(bits, 'hex').readDoubleBE()
    expect(stateDigest({ fingerprint: number, system: null })).toBe(
      digestOfText(`{"fingerprint":${text},"system":null}`),
    )
  })

  test('is that of the example in RFC 8785, section 3.2.2', () => {
    const document: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    const expected =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`
    expect(canonicalize(document)).toBe(expected)
    expect(stateDigest({ fingerprint: document, system: null })).toBe(
      digestOfText(`{"fingerprint":${expected},"system":null}`),
    )
  })

  test('sorts members by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const document: Record<string, string> = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const sorted =
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",' +
      '"\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
    expect(stateDigest({ fingerprint: document, system: null })).toBe(
      digestOfText(`{"fingerprint":${sorted},"system":null}`),
    )
  })
})

describe('a state digest', () => {
  test('covers fingerprint and system, and nothing else of a report', () => {
    const state = { fingerprint: createFingerprint(), system: createSystemState() }
    const report = createStateReport(state)
    expect(stateDigest(report)).toBe(stateDigest(state))
    expect(stateDigest({ ...state, system: null })).not.toBe(stateDigest(state))
  })

  test('does not depend on the order of members, but on unknown members and on the order of arrays', () => {
    const digest = stateDigest({ fingerprint: { a: [1, 2], b: 1 }, system: null })
    expect(stateDigest({ fingerprint: { b: 1, a: [1, 2] }, system: null })).toBe(digest)
    expect(stateDigest({ fingerprint: { b: 1, a: [1, 2], c: null }, system: null })).not.toBe(digest)
    expect(stateDigest({ fingerprint: { b: 1, a: [2, 1] }, system: null })).not.toBe(digest)
  })

  test('covers a member named __proto__ as any other', () => {
    expect(stateDigest(receive('{"fingerprint":{"__proto__":{"a":1}},"system":null}'))).toBe(
      digestOfText('{"fingerprint":{"__proto__":{"a":1}},"system":null}'),
    )
  })

  test('needs both members', () => {
    expect(() => stateDigest({ fingerprint: undefined, system: null })).toThrow(TypeError)
  })
})
