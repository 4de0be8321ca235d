import { describe, expect, test } from 'vitest'
import { formatAbsolute, formatAge, formatRelative, formatSpan, formatTime } from '../../src/cli/times.ts'

const NOW = Date.parse('2026-11-23T12:00:00.900Z')
const SECOND = 1000
const DAY = 86_400 * SECOND

describe('a time', () => {
  test.each([
    [0, 'now'],
    [999, 'now'],
    [-999, 'now'],
    [SECOND, '1 s ago'],
    [59 * SECOND, '59 s ago'],
    [60 * SECOND, '1 min ago'],
    [3599 * SECOND, '59 min ago'],
    [3600 * SECOND, '1 h ago'],
    [DAY - SECOND, '23 h ago'],
    [DAY, '1 d ago'],
    [400 * DAY, '400 d ago'],
    [-90 * SECOND, 'in 1 min'],
    [-DAY, 'in 1 d'],
  ])('%i ms before now is %s', (milliseconds, text) => {
    expect(formatRelative(NOW - milliseconds, NOW)).toBe(text)
  })

  test('is absolute in UTC, to the second', () => {
    expect(formatAbsolute(NOW)).toBe('2026-11-23 12:00:00 UTC')
  })

  test('is shown both ways, and in a table as an age', () => {
    expect(formatTime('2026-11-23T11:59:00+00:00', NOW)).toBe('2026-11-23 11:59:00 UTC (1 min ago)')
    expect(formatTime('2026-11-23T13:59:00+02:00', NOW)).toBe('2026-11-23 11:59:00 UTC (1 min ago)')
    expect(formatAge('2026-11-23T11:59:00Z', NOW)).toBe('1 min ago')
  })

  test('that is not there stays away, and text that is none is shown as it is', () => {
    for (const format of [formatTime, formatAge]) {
      expect(format(null, NOW)).toBeNull()
      expect(format('yesterday', NOW)).toBe('yesterday')
    }
  })
})

test.each([
  [0, '0 s'],
  [0.5, '0 s'],
  [60, '1 min'],
  [7200, '2 h'],
  [604_800, '7 d'],
])('a span of %d s is %s', (seconds, text) => {
  expect(formatSpan(seconds)).toBe(text)
})
