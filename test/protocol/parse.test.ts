import { describe, expect, expectTypeOf, test } from 'vitest'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import type { Heartbeat, StateReport } from '../../src/protocol/messages.ts'
import { parseEnrollment, parseHeartbeat, parseStateReport } from '../../src/protocol/parse.ts'
import { createHeartbeat, createStateReport, STORE_PATH } from '../support/messages.ts'
import { problemOf } from '../support/problems.ts'

const encode = (document: unknown): Buffer => Buffer.from(JSON.stringify(document))

describe('a message', () => {
  test('is read as it was written', () => {
    const heartbeat = createHeartbeat()
    expect(parseHeartbeat(encode(heartbeat))).toEqual({ document: heartbeat, value: heartbeat })
    const report = createStateReport()
    expect(parseStateReport(encode(report)).value).toEqual(report)
  })

  test('may have every fact null', () => {
    const report = createStateReport({ system: null, boot_id: null })
    const { fingerprint } = report
    const document = {
      ...report,
      fingerprint: {
        hardware: { ...nulls(fingerprint.hardware), cpu: nulls(fingerprint.hardware.cpu) },
        software: nulls(fingerprint.software),
        network: nulls(fingerprint.network),
        security: { ...nulls(fingerprint.security), tpm: nulls(fingerprint.security.tpm) },
      },
    }
    expect(() => parseStateReport(encode(document))).not.toThrow()
    expect(() =>
      parseHeartbeat(encode(createHeartbeat({ current_system: null, uptime_secs: null }))),
    ).not.toThrow()
  })

  test('keeps unknown members, which the state digest covers', () => {
    const report = createStateReport()
    const text = JSON.stringify(report).replace('"hardware":{', '"later":{"z":1,"a":[2.50]},"hardware":{')
    const { document, value } = parseStateReport(Buffer.from(text))
    expect(document).toEqual(JSON.parse(text))
    expect(stateDigest(value)).not.toBe(stateDigest(report))
    expect(stateDigest(value)).toBe(stateDigest(JSON.parse(text)))
  })

  test('is not coerced', () => {
    const heartbeat = { ...createHeartbeat(), sequence: '5' }
    expect(problemOf(() => parseHeartbeat(encode(heartbeat))).members.errors).toEqual([
      { path: '/sequence', message: 'must be integer' },
    ])
  })
})

describe('a body is malformed', () => {
  test.each([
    ['when it is empty', Buffer.alloc(0)],
    ['when it is not JSON', Buffer.from('{version: 1}')],
    ['when something follows the JSON', Buffer.from(`${JSON.stringify(createHeartbeat())}{}`)],
    ['when it is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['when it has an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['when it begins with a byte order mark', Buffer.from(`\ufeff${JSON.stringify(createHeartbeat())}`)],
    ['when it is UTF-16', Buffer.from(JSON.stringify(createHeartbeat()), 'utf16le')],
    ['when it holds a bare control character', Buffer.from('{"a":"\0"}')],
    ['when it is brackets that never close', Buffer.from('['.repeat(1024 * 1024))],
  ])('%s', (_, body) => {
    expect(problemOf(() => parseHeartbeat(body)).problem).toBe('malformed')
  })
})

/** A state report in which some text stands in the place of another. */
function withText(find: string, replacement: string): Buffer {
  return Buffer.from(JSON.stringify(createStateReport()).replace(find, replacement))
}

const nulls = (facts: object) => Object.fromEntries(Object.keys(facts).map((name) => [name, null]))

const nested = (levels: number): Buffer =>
  Buffer.from(`${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`)

describe('a document is invalid', () => {
  test.each([
    [
      'with U+0000 in a text',
      withText('Framework', String.raw`Frame\u0000work`),
      '/fingerprint/hardware/manufacturer',
    ],
    [
      'with a lone surrogate in a text',
      withText('Framework', String.raw`\ud83d`),
      '/fingerprint/hardware/manufacturer',
    ],
    [
      'with U+0000 in a name',
      withText('"hardware":', String.raw`"a\u0000/b":1,"hardware":`),
      '/fingerprint/a\ufffd~1b',
    ],
    [
      'with a lone surrogate in an unknown member',
      withText('"hardware":', String.raw`"x":["\udc00"],"hardware":`),
      '/fingerprint/x/0',
    ],
    ['with a number beyond a double', withText('"hardware":', '"x":1e400,"hardware":'), '/fingerprint/x'],
    ['with a name that comes twice', withText('"hardware":', '"hardware":1,"hardware":'), ''],
    [
      'with a name that comes twice in another spelling',
      withText('"hardware":', String.raw`"\u0068ardware":1,"hardware":`),
      '',
    ],
    ['with __proto__ twice', withText('"hardware":', '"__proto__":1,"__proto__":2,"hardware":'), ''],
  ])('%s', (_, body, path) => {
    const problem = problemOf(() => parseStateReport(body))
    expect(problem.problem).toBe('invalid')
    expect(problem.members.errors?.map((error) => error.path)).toEqual([path])
  })

  test('when it is nested deeper than 32 levels, however deep', () => {
    expect(problemOf(() => parseHeartbeat(nested(33))).message).toContain('deeper than 32')
    expect(problemOf(() => parseHeartbeat(nested(150_000))).message).toContain('deeper than 32')
    expect(problemOf(() => parseHeartbeat(nested(32))).message).not.toContain('deeper')
  })

  test('with colons and quotes in its texts it is not taken for one with a name twice', () => {
    const report = createStateReport()
    report.fingerprint.hardware.manufacturer = String.raw`":{"a":1,\"b\\":2} \\`
    expect(parseStateReport(encode(report)).value).toEqual(report)
  })

  const report = createStateReport()
  const { fingerprint, system } = report
  test.each([
    ['/version', { version: 2 }],
    ['/sequence', { sequence: 0 }],
    ['/sequence', { sequence: 2 ** 53 }],
    ['/sequence', { sequence: 1.5 }],
    ['/reason', { reason: 'heartbeat' }],
    ['/previous', { previous: 'sha256:00' }],
    ['/previous', { previous: `SHA256:${'0'.repeat(64)}` }],
    ['/dropped', { dropped: -1 }],
    ['/spool_failed', { spool_failed: null }],
    ['/boot_id', { boot_id: '0B1F2C3D-1111-2222-3333-444455556666' }],
    ['/clock_skew_secs', { clock_skew_secs: 0.5 }],
    ['/observed_at', { observed_at: '2026-99-99T00:00:00Z' }],
    ['/observed_at', { observed_at: '2026-02-29T00:00:00Z' }],
    ['/system/profile_changed_at', { system: { ...system, profile_changed_at: '2026-06-31T00:00:00Z' } }],
    ['/system/current', { system: { ...system, current: `${STORE_PATH}/` } }],
    ['/system/booted', { system: { ...system, booted: `/nix/store/${'e'.repeat(32)}-x` } }],
    ['/system/profile', { system: { ...system, profile: `${STORE_PATH}\n` } }],
    ['/system/reboot_needed/1', { system: { ...system, reboot_needed: ['kernel', 'firmware'] } }],
    ['/fingerprint', { fingerprint: null }],
    [
      '/fingerprint/network/interfaces/0/addresses/1',
      {
        fingerprint: {
          ...fingerprint,
          network: {
            ...fingerprint.network,
            interfaces: [{ name: 'a', mac_address: null, addresses: ['b', 7] }],
          },
        },
      },
    ],
    [
      '/fingerprint/hardware/disks',
      {
        fingerprint: {
          ...fingerprint,
          hardware: { ...fingerprint.hardware, disks: Array(65).fill(fingerprint.hardware.disks?.[0]) },
        },
      },
    ],
    [
      '/fingerprint/network/interfaces',
      {
        fingerprint: {
          ...fingerprint,
          network: {
            ...fingerprint.network,
            interfaces: Array(129).fill(fingerprint.network.interfaces?.[0]),
          },
        },
      },
    ],
  ])('with a wrong %s', (path, members) => {
    const problem = problemOf(() => parseStateReport(encode({ ...report, ...members })))
    expect(problem.problem).toBe('invalid')
    expect(problem.members.errors?.map((error) => error.path)).toEqual([path])
  })

  test('names each missing member, and what all alternatives of a value want', () => {
    const { sequence: _, ...rest } = createHeartbeat()
    const problem = problemOf(() => parseHeartbeat(encode({ ...rest, uptime_secs: 'long' })))
    expect(problem.message).toBe('/sequence is missing (and 1 more)')
    expect(problem.members.errors).toEqual([
      { path: '/sequence', message: 'is missing' },
      { path: '/uptime_secs', message: 'must be integer or be null' },
    ])
  })

  test('names ten places at most', () => {
    expect(problemOf(() => parseStateReport(Buffer.from('{}'))).members.errors).toHaveLength(10)
  })

  test.each(['null', '[]', '1', '"text"', 'true'])('when it is %s', (text) => {
    expect(problemOf(() => parseHeartbeat(Buffer.from(text))).members.errors?.[0]?.path).toBe('')
  })
})

describe('__proto__', () => {
  test('is a member like any other: it gives no object another prototype and stands in for nothing', () => {
    const heartbeat = JSON.stringify(createHeartbeat())
    expect(problemOf(() => parseHeartbeat(Buffer.from(`{"__proto__":${heartbeat}}`))).problem).toBe('invalid')
    const { document } = parseHeartbeat(Buffer.from(heartbeat.replace('{', '{"__proto__":{"polluted":1},')))
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype)
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('an enrolment', () => {
  const enrollment = {
    version: 1,
    token: 'secret',
    hostname: 'web-1.example.org',
    public_key: 'A'.repeat(43).concat('='),
  }

  test('is read', () => {
    expect(parseEnrollment(encode(enrollment)).value).toEqual(enrollment)
  })

  test.each(['', '../../etc', 'web 1', 'web\u001b[2J', '-rf', 'web1.', 'a'.repeat(254), 'wéb'])(
    'with the host name %j is invalid, because it becomes the name of a system',
    (hostname) => {
      expect(
        problemOf(() => parseEnrollment(encode({ ...enrollment, hostname }))).members.errors?.[0]?.path,
      ).toBe('/hostname')
    },
  )
})

test('the types of messages are those one would write by hand', () => {
  expectTypeOf<StateReport['reason']>().toEqualTypeOf<
    'startup' | 'config_change' | 'state_delta' | 'requested'
  >()
  expectTypeOf<NonNullable<StateReport['system']>['reboot_needed']>().toEqualTypeOf<
    ('kernel' | 'initrd' | 'kernel-modules' | 'kernel-params')[] | null
  >()
  expectTypeOf<NonNullable<StateReport['system']>['profile_changed_at']>().toEqualTypeOf<string | null>()
  expectTypeOf<Heartbeat>().toEqualTypeOf<{
    version: 1
    sequence: number
    boot_id: string | null
    uptime_secs: number | null
    clock_skew_secs: number
    current_system: string | null
    state_digest: string
    reported: string | null
  }>()
})

test('the id of a report depends on its bytes, not on what they mean', () => {
  const body = encode(createStateReport())
  expect(sha256Id(body)).not.toBe(sha256Id(Buffer.concat([body, Buffer.from('\n')])))
})
