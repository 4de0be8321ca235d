import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LIVENESS, limitsFor, liveness, type LivenessLimits } from '../../src/fleet/liveness.ts'

const MINUTE = 60_000
const SETTINGS: LivenessLimits = { lateAfterMs: 3 * MINUTE, offlineAfterMs: 15 * MINUTE }
const NOW = Date.parse('2026-11-23T12:00:00Z')

describe('liveness by the last contact', () => {
  test.each([
    { silence: 0, expected: 'online' },
    { silence: 3 * MINUTE, expected: 'online' },
    { silence: 3 * MINUTE + 1, expected: 'late' },
    { silence: 15 * MINUTE, expected: 'late' },
    { silence: 15 * MINUTE + 1, expected: 'offline' },
    { silence: 365 * 24 * 60 * MINUTE, expected: 'offline' },
    { silence: -5000, expected: 'online' },
  ])('$silence ms ago is $expected', ({ silence, expected }) => {
    expect(liveness(NOW - silence, NOW, SETTINGS)).toBe(expected)
  })

  test('a system without any contact was never seen', () => {
    expect(liveness(null, NOW, SETTINGS)).toBe('never_seen')
  })

  test('never gets better while nothing is heard', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 10, max: 3600 }), (one, more, intervalSecs) => {
        const limits = limitsFor(SETTINGS, intervalSecs)
        const earlier = LIVENESS.indexOf(liveness(NOW - one, NOW, limits))
        const later = LIVENESS.indexOf(liveness(NOW - one - more, NOW, limits))
        expect(later).toBeGreaterThanOrEqual(earlier)
      }),
    )
  })
})

describe('the limits of one system', () => {
  test.each([
    { intervalSecs: 10, late: 3 * MINUTE, offline: 15 * MINUTE, why: 'its own interval is short' },
    { intervalSecs: 60, late: 3 * MINUTE, offline: 15 * MINUTE, why: '3 intervals are the setting' },
    { intervalSecs: 61, late: 183_000, offline: 15 * MINUTE, why: 'only 3 intervals are longer' },
    { intervalSecs: 90, late: 270_000, offline: 15 * MINUTE, why: '10 intervals are the setting' },
    { intervalSecs: 91, late: 273_000, offline: 910_000, why: 'both are longer' },
    { intervalSecs: 600, late: 30 * MINUTE, offline: 100 * MINUTE, why: 'version 0 speaks every 10 minutes' },
  ])('with an interval of $intervalSecs s: $why', ({ intervalSecs, late, offline }) => {
    expect(limitsFor(SETTINGS, intervalSecs)).toEqual({ lateAfterMs: late, offlineAfterMs: offline })
  })
})
