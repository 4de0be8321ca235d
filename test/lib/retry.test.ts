import { expect, test } from 'vitest'
import { backoffMs } from '../../src/lib/retry.ts'

const LIMITS = { baseMs: 1000, capMs: 60_000 }

test('the longest wait doubles at each attempt up to the cap', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 2000].map((attempt) => {
    return backoffMs(attempt, { ...LIMITS, random: () => 1 })
  })
  expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

test('a wait is any part of the longest', () => {
  const waits = [0, 0.25, 0.5].map((random) => backoffMs(3, { ...LIMITS, random: () => random }))
  expect(waits).toEqual([0, 2000, 4000])
})
