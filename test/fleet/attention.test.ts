import { describe, expect, test } from 'vitest'
import { ATTENTION_KINDS, attentionRank, severityOf, worstFirst } from '../../src/fleet/attention.ts'

test('the worst kind has rank 1, and severity never rises with the rank', () => {
  expect(attentionRank('identity_conflict')).toBe(1)
  const severities = ATTENTION_KINDS.map(severityOf)
  expect([...new Set(severities)]).toEqual(['critical', 'warning', 'notice'])
  expect(severities.lastIndexOf('critical')).toBeLessThan(severities.indexOf('warning'))
  expect(severities.lastIndexOf('warning')).toBeLessThan(severities.indexOf('notice'))
})

describe('the first items', () => {
  const items = [
    { kind: 'reboot_needed', of: 1 },
    { kind: 'unmanaged', of: 2 },
    { kind: 'reboot_needed', of: 3 },
    { kind: 'identity_conflict', of: 4 },
    { kind: 'unmanaged', of: 5 },
    { kind: 'unmanaged', of: 6 },
  ] as const
  const first = (each: number, limit: number) => worstFirst(items, { each, limit }).map(({ of }) => of)

  test('are the worst, in the order given within a kind', () => {
    expect(first(10, 10)).toEqual([4, 2, 5, 6, 1, 3])
    expect(first(10, 3)).toEqual([4, 2, 5])
  })

  test('are so many of a kind that others have their place', () => {
    expect(first(1, 10)).toEqual([4, 2, 1])
    expect(first(2, 4)).toEqual([4, 2, 5, 1])
  })
})
