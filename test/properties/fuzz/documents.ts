import * as fc from 'fast-check'
import { createHeartbeat, createStateReport, STORE_PATH } from '../../support/messages.ts'
import { createPush, genericPush } from '../../server/webhooks/payloads.ts'
import { VERSION_0_MESSAGE } from '../../support/version-0-agent.ts'

/** What a body starts as. Its sequence, host name and times are filled in when it is sent. */
export type Base = 'heartbeat' | 'report' | 'enrollment' | 'version-0' | 'webhook'

export interface Mutation {
  /** Which of all places in the document, counted round. */
  place: number
  act: 'replace' | 'remove' | 'add'
  value: unknown
}

const deep = (depth: number): unknown => (depth === 0 ? 0 : [deep(depth - 1)])

/** What has broken parsers and databases. */
const HOSTILE: readonly unknown[] = [
  '',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\u2028',
  'x'.repeat(1025),
  'x'.repeat(20_000),
  "'; drop table reports; --",
  '$1',
  '%s',
  '__proto__',
  STORE_PATH,
  `${STORE_PATH}/../x`,
  `sha256:${'0'.repeat(64)}`,
  `sha256:${'g'.repeat(64)}`,
  '0b1f2c3d-1111-2222-3333-444455556666',
  '00000000-0000-0000-0000-000000000000',
  '2026-02-31T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '0001-01-01T00:00:00+15:59',
  '9999-12-31T23:59:59.999999999Z',
  '9999-12-31T23:59:60Z',
  '2026-11-23T12:00:00-15:59',
  'bystander',
  0,
  -0,
  -1,
  1.5,
  1e21,
  1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  2 ** 53,
  3_155_760_000,
  3_155_760_001,
  null,
  true,
  false,
  [],
  {},
  [null],
  Array.from({ length: 129 }, () => 'x'),
  deep(31),
  deep(33),
  JSON.parse('{"__proto__":{"x":1},"constructor":null}'),
]

const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.jsonValue({ depthSize: 'small' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(200),
  act: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add'),
  value,
})

export const base: fc.Arbitrary<Base> = fc.constantFrom(
  'heartbeat',
  'heartbeat',
  'report',
  'report',
  'enrollment',
  'version-0',
  'webhook',
)

export interface Filling {
  hostname: string
  sequence: number
  publicKey: string
}

/** The document as an agent would send it now. */
export function documentOf(kind: Base, { hostname, sequence, publicKey }: Filling): object {
  const now = new Date(sequence).toISOString()
  if (kind === 'heartbeat') return createHeartbeat({ sequence })
  if (kind === 'webhook') return genericPush(createPush({ after: sequence.toString(16).padStart(40, '0') }))
  if (kind === 'version-0') return { ...VERSION_0_MESSAGE, hostname, timestamp: now }
  if (kind === 'enrollment') return { version: 1, token: 'cfe_unknown', hostname, public_key: publicKey }
  const report = createStateReport({ sequence, observed_at: now })
  report.fingerprint.software.hostname = hostname
  return report
}

/** Applies the mutations one after the other. A sequence that no later one could exceed would end the test. */
export function mutate(document: object, mutations: readonly Mutation[]): unknown {
  const root: { document: unknown } = { document }
  // a later mutation may hit what an earlier one put in, which other requests use too
  for (const each of mutations) apply(root, { ...each, value: structuredClone(each.value) })
  return root.document
}

function apply(root: object, { place, act, value: given }: Mutation): void {
  const places = placesOf(root)
  const [parent, name] = places[place % places.length] ?? []
  if (parent === undefined || name === undefined) return
  if (act === 'remove') Reflect.deleteProperty(parent, name)
  else if (act === 'add') Reflect.set(parent, `added-${place}`, given)
  else if (name !== 'sequence' || typeof given !== 'number' || given < 1e12) Reflect.set(parent, name, given)
}

function placesOf(within: object): [object, string][] {
  return Object.entries(within).flatMap(([name, inner]: [string, unknown]): [object, string][] => [
    [within, name],
    ...(typeof inner === 'object' && inner !== null ? placesOf(inner) : []),
  ])
}
