import { expect, test } from 'vitest'
import { judge, type Sample } from '../../bench/half-load/judge.ts'

const MIB = 2 ** 20

/** Thirty samples of a load; `change` says how each differs from a quiet one. */
const samplesOf = (change: (part: number) => Partial<Sample>): Sample[] =>
  Array.from({ length: 30 }, (_, part) => ({
    atSecs: part * 60,
    requests: 1000,
    refused: 0,
    p50Ms: 5,
    p99Ms: 40,
    residentBytes: 300 * MIB,
    tables: { contacts: 40 * MIB, keys: 20 * MIB },
    ...change(part),
  }))

const growing = (samples: Sample[]): string[] =>
  judge(samples)
    .filter(({ isFlat }) => !isFlat)
    .map(({ what }) => what)

test('a load that changes nothing is flat, and so are single samples that are far off', () => {
  expect(growing(samplesOf(() => ({})))).toEqual([])
  const withPeaks = samplesOf((part) =>
    part % 7 === 6
      ? { p99Ms: 900, residentBytes: 600 * MIB, tables: { contacts: 90 * MIB, keys: 60 * MIB } }
      : {},
  )
  expect(growing(withPeaks)).toEqual([])
})

test('memory, latency and tables that grow steadily are each found', () => {
  expect(growing(samplesOf((part) => ({ residentBytes: (300 + part * 5) * MIB })))).toEqual([
    'memory of the server',
  ])
  expect(growing(samplesOf((part) => ({ p99Ms: 40 + part * 2 })))).toEqual(['p99'])
  expect(growing(samplesOf((part) => ({ tables: { contacts: 40 * MIB, keys: (20 + part) * MIB } })))).toEqual(
    ['table keys'],
  )
})

test('too few samples say nothing', () => {
  expect(() => judge(samplesOf(() => ({})).slice(0, 8))).toThrow('at least 9 are needed')
})
