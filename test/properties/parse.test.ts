import * as fc from 'fast-check'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { stateDigest } from '../../src/protocol/digests.ts'
import { Fingerprint, SystemState } from '../../src/protocol/facts.ts'
import { readJson } from '../../src/protocol/json.ts'
import { createParser, parseEnrollment, parseHeartbeat, parseStateReport } from '../../src/protocol/parse.ts'
import { Problem } from '../../src/protocol/problems.ts'
import { parseTimestamp } from '../../src/protocol/timestamp.ts'
import { toVersion1Facts } from '../../src/protocol/v0-facts.ts'
import { parseVersion0 } from '../../src/protocol/v0.ts'
import { createHeartbeat, createStateReport } from '../support/messages.ts'

const PARSERS = [parseHeartbeat, parseStateReport, parseEnrollment, parseVersion0]
const parseState = createParser(Type.Object({ fingerprint: Type.Unknown(), system: Type.Unknown() }))
const encode = (document: unknown): Buffer => Buffer.from(JSON.stringify(document))

/** JSON as it may come: any text, names such as __proto__ and toJSON among them. */
const json = fc.jsonValue({ stringUnit: 'grapheme' })
const anyName = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'hasOwnProperty', 'length', 'fingerprint', 'system'),
  fc.string({ unit: 'grapheme' }),
)
const anyObject = fc.array(fc.tuple(anyName, json), { maxLength: 5 }).map(toObject)

/** An object whose members are its own, __proto__ too: what JSON.parse makes. */
function toObject(entries: [string, unknown][]): object {
  const members = [...new Map(entries)].map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  return JSON.parse(`{${members.join(',')}}`)
}

function problemOrNull(act: () => unknown): Problem | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** Every place in a document, as the names that lead there. */
function placesOf(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...at, name]))]
}

function replaceAt(document: unknown, [name, ...rest]: string[], replacement: unknown): unknown {
  if (name === undefined) return replacement
  if (typeof document !== 'object' || document === null) throw new Error(`there is no ${name} to replace`)
  const replaced = Object.entries(document).map(([each, member]): [string, unknown] => [
    each,
    each === name ? replaceAt(member, rest, replacement) : member,
  ])
  return Array.isArray(document) ? replaced.map(([, item]) => item) : Object.fromEntries(replaced)
}

describe('any body', () => {
  test('of random bytes is refused with a problem', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...PARSERS), (body, parse) => {
        expect(problemOrNull(() => parse(body))).toBeInstanceOf(Problem)
      }),
    )
  })

  test('of random JSON is refused as invalid, with places', () => {
    fc.assert(
      fc.property(fc.oneof(json, anyObject), fc.constantFrom(...PARSERS), (document, parse) => {
        const problem = problemOrNull(() => parse(encode(document)))
        expect(problem?.problem).toBe('invalid')
        expect(problem?.members.errors?.length).toBeGreaterThan(0)
        expect(problem?.members.errors?.length).toBeLessThanOrEqual(10)
      }),
    )
  })

  test.each([
    ['heartbeat', createHeartbeat(), parseHeartbeat],
    ['state report', createStateReport(), parseStateReport],
  ])(
    'that is a %s with one value replaced is accepted as it is, or refused with a problem',
    (_, document, parse) => {
      fc.assert(
        fc.property(
          fc.constantFrom(...placesOf(document)),
          fc.oneof(json, anyObject, fc.string({ unit: 'binary' })),
          (place, value) => {
            const changed = replaceAt(document, place, value)
            const problem = problemOrNull(() => {
              expect(parse(encode(changed)).document).toEqual(JSON.parse(JSON.stringify(changed)))
            })
            expect(['invalid', undefined]).toContain(problem?.problem)
          },
        ),
        { numRuns: 1000 },
      )
    },
  )

  test('that is a state report with bytes changed is accepted or refused with a problem', () => {
    const body = encode(createStateReport())
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { maxLength: 4 }), (edits) => {
        const changed = Buffer.from(body)
        for (const [at, byte] of edits) changed[at] = byte
        problemOrNull(() => parseStateReport(changed))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('reading JSON', () => {
  test('gives exactly what JSON.parse gives, whatever white space and names there are', () => {
    fc.assert(
      fc.property(fc.oneof(json, anyObject), fc.constantFrom(undefined, 1, '\t'), (document, space) => {
        const text = JSON.stringify(document, null, space)
        expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('refuses every name that comes twice in one object', () => {
    fc.assert(
      fc.property(anyObject, anyName, json, json, (document, name, one, other) => {
        const member = (value: unknown): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`
        const inner = JSON.stringify(document).slice(1, -1)
        const text = `[{${member(one)},${inner === '' ? '' : `${inner},`}${member(other)}}]`
        expect(problemOrNull(() => readJson(Buffer.from(text)))?.problem).toBe('invalid')
      }),
    )
  })

  test('refuses U+0000 and lone surrogates wherever they stand, and nothing else that is a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, isName) => {
        // JSON.stringify escapes both, so that they get through as UTF-8.
        const body = encode(isName ? { a: { [text]: 1 } } : { a: [text] })
        const isRefused = text.includes('\0') || !text.isWellFormed()
        expect(problemOrNull(() => readJson(body))?.problem).toBe(isRefused ? 'invalid' : undefined)
      }),
    )
  })
})

describe('the state digest', () => {
  test('is the same on both sides: of the object that is sent, and of the JSON as received', () => {
    fc.assert(
      fc.property(anyObject, fc.option(anyObject), (fingerprint, system) => {
        const { value } = parseState(encode({ fingerprint, system }))
        expect(stateDigest(value)).toBe(stateDigest({ fingerprint, system }))
      }),
    )
  })

  test('differs for documents that differ', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isSame = isSameJson(one, other)
        expect(
          stateDigest({ fingerprint: one, system: null }) ===
            stateDigest({ fingerprint: other, system: null }),
        ).toBe(isSame)
      }),
    )
  })
})

/** Equal as JSON: the order of members does not count, and -0 is 0. */
function isSameJson(one: unknown, other: unknown): boolean {
  try {
    expect(JSON.parse(JSON.stringify(one))).toEqual(JSON.parse(JSON.stringify(other)))
    return true
  } catch {
    return false
  }
}

test('a timestamp that Date writes is read as the same instant', () => {
  const date = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(date, (instant) => {
      expect(parseTimestamp(instant.toISOString())).toBe(instant.getTime())
    }),
  )
})

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

describe('version 0', () => {
  const text = optional(fc.string({ unit: 'grapheme', maxLength: 100 }))
  const interfaces = fc.array(
    fc.record({
      name: fc.oneof(fc.constantFrom('eth0', 'lo', 'veth1', 'wlan0'), fc.string({ unit: 'grapheme' })),
      mac_address: text,
      ip_addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 40 }),
    }),
    { maxLength: 140 },
  )
  const message = fc.record({
    hostname: fc.domain().filter((name) => name.length <= 253),
    change_reason: fc.constantFrom('startup', 'config_change', 'heartbeat', 'state_delta'),
    timestamp: fc.constant('2026-11-23T12:00:00Z'),
    derivation_path: text,
    memory_gb: optional(fc.double({ min: 0, max: 2 ** 32, noNaN: true })),
    cpu_cores: optional(fc.nat()),
    network_interfaces: fc.oneof(
      interfaces,
      interfaces.map((list) => JSON.stringify(list)),
      json,
      fc.string({ unit: 'binary' }).filter((it) => it.isWellFormed() && !it.includes('\0')),
    ),
    primary_ip_address: optional(fc.ipV6()),
    tpm_present: optional(fc.boolean()),
    os: text,
  })

  test('maps every message it accepts to facts that version 1 accepts', () => {
    const fingerprint = Compile(Fingerprint)
    const system = Compile(SystemState)
    fc.assert(
      fc.property(message, (sent) => {
        const facts = toVersion1Facts(parseVersion0(encode(sent)).value)
        expect(fingerprint.Check(facts.fingerprint)).toBe(true)
        expect(system.Check(facts.system)).toBe(true)
        expect(() => readJson(encode(facts))).not.toThrow()
      }),
    )
  })
})
