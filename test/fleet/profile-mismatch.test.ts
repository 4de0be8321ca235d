import { describe, expect, test } from 'vitest'
import { profileMismatchKind } from '../../src/fleet/profile-mismatch.ts'

const BOOT = Date.parse('2026-11-23T12:00:00Z')

describe('the kind of a profile mismatch', () => {
  test.each([
    {
      name: 'test: what runs was neither booted nor is it the profile',
      facts: { current: 'tried', booted: 'old', profileChangedAt: BOOT - 1, bootedAt: BOOT },
      kind: 'test',
    },
    {
      name: 'test, also while nothing is known of the boot',
      facts: { current: 'tried', booted: 'old', profileChangedAt: null, bootedAt: null },
      kind: 'test',
    },
    {
      name: 'staged: the booted system runs, and the profile was changed after the boot',
      facts: { current: 'old', booted: 'old', profileChangedAt: BOOT + 1, bootedAt: BOOT },
      kind: 'staged',
    },
    {
      name: 'old_generation: the booted system runs, and the profile was changed before the boot',
      facts: { current: 'old', booted: 'old', profileChangedAt: BOOT - 1, bootedAt: BOOT },
      kind: 'old_generation',
    },
    {
      name: 'untold while the booted link cannot be read',
      facts: { current: 'old', booted: null, profileChangedAt: BOOT + 1, bootedAt: BOOT },
      kind: null,
    },
    {
      name: 'untold while it is not known when the profile changed',
      facts: { current: 'old', booted: 'old', profileChangedAt: null, bootedAt: BOOT },
      kind: null,
    },
    {
      name: 'untold while it is not known when the system booted',
      facts: { current: 'old', booted: 'old', profileChangedAt: BOOT + 1, bootedAt: null },
      kind: null,
    },
  ])('$name', ({ facts, kind }) => {
    expect(profileMismatchKind(facts)).toBe(kind)
  })
})
