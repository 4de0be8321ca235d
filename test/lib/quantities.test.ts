import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../src/lib/duration.ts'
import { formatSize, parseSize } from '../../src/lib/size.ts'

test.each([
  ['500ms', 500],
  ['60s', 60_000],
  ['5m', 300_000],
  ['12h', 43_200_000],
  ['400d', 34_560_000_000],
  ['0s', 0],
])('the duration %s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each(['', '60', 's', '1.5h', '-1s', ' 1s', '1s ', '1S', '1h30m', '1w', '1e3s', '999999999999999d'])(
  'the duration %j is refused with what is accepted',
  (text) => {
    expect(() => parseDuration(text)).toThrow('such as "60s"')
  },
)

test('a formatted duration is read as the same number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (milliseconds) => {
      expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
    }),
  )
  expect([90_000, 300_000, 86_400_000, 1, 0].map(formatDuration)).toEqual(['90s', '5m', '1d', '1ms', '0s'])
})

test.each([
  ['8GiB', 8 * 1024 ** 3],
  ['512 MiB', 512 * 1024 ** 2],
  ['1kB', 1000],
  ['2TB', 2e12],
  ['7B', 7],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', '8', '8G', '8gib', '1.5GiB', '-1B', 'GiB', '999999999999999TiB', '8constructor', '1toString'])(
  'the size %j is refused with what is accepted',
  (text) => {
    expect(() => parseSize(text)).toThrow('such as "8GiB"')
  },
)

test('a formatted size is read as the same number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes)
    }),
  )
  expect([8 * 1024 ** 3, 1536, 1000, 0].map(formatSize)).toEqual(['8GiB', '1536B', '1000B', '0B'])
})
