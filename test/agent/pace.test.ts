import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPace } from '../../src/agent/pace.ts'

const create = (random: number, intervalMs = 60_000) =>
  createPace({ intervalMs: () => intervalMs, random: () => random })

/** Just below 1, the largest that a source of randomness gives. */
const MOST = 1 - Number.EPSILON / 2

test('each failure doubles what can be waited, up to one heartbeat interval when the server is unavailable', () => {
  const pace = create(MOST)
  const waits = Array.from({ length: 10 }, () => Math.ceil(pace.afterFailure('unavailable', 0) / 1000))
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
})

test('up to 5 minutes when the server refuses', () => {
  const pace = create(MOST)
  const waits = Array.from({ length: 11 }, () => Math.ceil(pace.afterFailure('refused', 0) / 1000))
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
})

test('the cap follows the interval of the moment', () => {
  let intervalMs = 10_000
  const pace = createPace({ intervalMs: () => intervalMs, random: () => MOST })
  for (let i = 0; i < 8; i += 1) expect(pace.afterFailure('unavailable', 0)).toBeLessThanOrEqual(10_000)
  intervalMs = 20_000
  expect(Math.ceil(pace.afterFailure('unavailable', 0) / 1000)).toBe(20)
})

test('the jitter is full: from nothing to all of it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: MOST, noNaN: true }), fc.nat({ max: 20 }), (random, failures) => {
      const pace = create(random)
      const most = create(MOST)
      for (let i = 0; i < failures; i += 1) {
        pace.afterFailure('unavailable', 0)
        most.afterFailure('unavailable', 0)
      }
      const wait = pace.afterFailure('unavailable', 0)
      expect(Math.abs(wait - random * most.afterFailure('unavailable', 0))).toBeLessThanOrEqual(2)
    }),
  )
})

test('an answer starts it again', () => {
  const pace = create(MOST)
  for (let i = 0; i < 5; i += 1) pace.afterFailure('unavailable', 0)
  pace.answered()
  expect(pace.afterFailure('unavailable', 0)).toBeLessThanOrEqual(1000)
})

test('a Retry-After is waited for in full', () => {
  expect(create(0).afterFailure('unavailable', 3_600_000)).toBe(3_600_000)
  expect(create(MOST).afterFailure('unavailable', 5000)).toBeGreaterThanOrEqual(5000)
})

test('what was put right is tried at once the first time, and not in a quick loop', () => {
  const pace = create(MOST)
  const waits = Array.from({ length: 4 }, () => Math.ceil(pace.afterCorrection() / 1000))
  expect(waits).toEqual([0, 2, 4, 8])
})
