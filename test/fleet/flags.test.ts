import { describe, expect, test } from 'vitest'
import type { Chain } from '../../src/fleet/chain.ts'
import { type FlagFacts, flagsOfReport, type KnownIdentity, STICKY_FLAGS } from '../../src/fleet/flags.ts'

const MACHINE = 'a'.repeat(64)
const OTHER_MACHINE = 'b'.repeat(64)
const CHANGED_AT = '2026-11-20T08:00:00Z'

/** What of a system's links decides flags; by default nothing is wrong. */
const systemOf = (members: Partial<NonNullable<FlagFacts['system']>> = {}): FlagFacts['system'] => ({
  current: 'one',
  booted: 'one',
  profile: 'one',
  profileChangedAt: CHANGED_AT,
  rebootNeeded: [],
  ...members,
})

const factsOf = (members: Partial<FlagFacts> = {}): FlagFacts => ({
  hostname: 'web1',
  machineIdDigest: MACHINE,
  productUuid: 'uuid-1',
  spoolFailed: false,
  clockSkewSecs: 0,
  dropped: 0,
  previous: 'sha256:1',
  system: systemOf(),
  ...members,
})

const KNOWN: KnownIdentity = {
  registeredHostname: 'web1',
  newest: 'sha256:1',
  machineIdDigest: MACHINE,
  productUuid: 'uuid-1',
}

const raisedBy = (
  facts: Partial<FlagFacts>,
  chain: Chain = 'continues',
  known: Partial<KnownIdentity> = {},
) => flagsOfReport(factsOf(facts), { ...KNOWN, ...known }, chain)

test('a report in which nothing is wrong raises nothing', () => {
  expect(raisedBy({})).toEqual({})
})

test('a report in which nothing could be read raises nothing', () => {
  expect(raisedBy({ hostname: null, machineIdDigest: null, productUuid: null, system: null })).toEqual({})
})

describe('reboot_needed', () => {
  test('names the parts that differ', () => {
    expect(raisedBy({ system: systemOf({ rebootNeeded: ['kernel', 'kernel-params'] }) })).toEqual({
      reboot_needed: { parts: ['kernel', 'kernel-params'] },
    })
  })

  test.each([{ rebootNeeded: [] }, { rebootNeeded: null }])('is down for $rebootNeeded', (system) => {
    expect(raisedBy({ system: systemOf(system) })).toEqual({})
  })
})

describe('profile_mismatch', () => {
  test('shows the links and when the profile changed', () => {
    expect(raisedBy({ system: systemOf({ current: 'two' }) })).toEqual({
      profile_mismatch: { current: 'two', booted: 'one', profile: 'one', profile_changed_at: CHANGED_AT },
    })
  })

  test.each([
    { name: 'current cannot be read', system: { current: null } },
    { name: 'the profile cannot be read', system: { profile: null } },
    { name: 'only the booted system is another: a switch', system: { booted: 'zero' } },
  ])('is down when $name', ({ system }) => {
    expect(raisedBy({ system: systemOf(system) })).toEqual({})
  })
})

describe('identity_conflict', () => {
  const broken: Chain[] = ['start', 'restart', 'gap', 'fork', 'unchained']

  test.each(broken)('is raised by another machine id where the chain does not continue: %s', (chain) => {
    expect(raisedBy({ machineIdDigest: OTHER_MACHINE }, chain).identity_conflict).toEqual({
      fact: 'machine_id_digest',
      before: MACHINE,
      now: OTHER_MACHINE,
    })
  })

  test.each(broken)('is raised by another product UUID where the chain does not continue: %s', (chain) => {
    expect(raisedBy({ productUuid: 'uuid-2' }, chain).identity_conflict).toEqual({
      fact: 'product_uuid',
      before: 'uuid-1',
      now: 'uuid-2',
    })
  })

  test('is not raised where the chain continues: the same agent on a new board', () => {
    expect(raisedBy({ machineIdDigest: OTHER_MACHINE, productUuid: 'uuid-2' })).toEqual({})
  })

  test.each([
    { name: 'it was not known before', facts: {}, known: { machineIdDigest: null, productUuid: null } },
    { name: 'it cannot be read now', facts: { machineIdDigest: null, productUuid: null }, known: {} },
  ])('is not raised where $name', ({ facts, known }) => {
    expect(raisedBy(facts, 'restart', known).identity_conflict).toBeUndefined()
  })

  test('is not raised by a product UUID in other letters: firmware and agents differ in case', () => {
    expect(raisedBy({ productUuid: 'UUID-1' }, 'restart').identity_conflict).toBeUndefined()
  })
})

describe('chain_broken', () => {
  test.each(['restart', 'gap', 'fork'] as const)('is raised by a %s, with what was expected', (chain) => {
    expect(raisedBy({ previous: 'sha256:0', dropped: 3 }, chain).chain_broken).toEqual({
      chain,
      expected_previous: 'sha256:1',
      previous: 'sha256:0',
      dropped: 3,
    })
  })

  test.each(['start', 'continues', 'unchained'] as const)('is not raised by: %s', (chain) => {
    expect(raisedBy({}, chain).chain_broken).toBeUndefined()
  })
})

test('spool_failed is raised by a report that says so', () => {
  expect(raisedBy({ spoolFailed: true })).toEqual({ spool_failed: {} })
})

describe('clock_skew', () => {
  test.each([
    { clockSkewSecs: 29, isRaised: false },
    { clockSkewSecs: 30, isRaised: true },
    { clockSkewSecs: -29, isRaised: false },
    { clockSkewSecs: -30, isRaised: true },
    { clockSkewSecs: 3600, isRaised: true },
  ])('at $clockSkewSecs s: $isRaised', ({ clockSkewSecs, isRaised }) => {
    expect(raisedBy({ clockSkewSecs })).toEqual(
      isRaised ? { clock_skew: { clock_skew_secs: clockSkewSecs } } : {},
    )
  })
})

describe('hostname_changed', () => {
  test('is raised by another name than the registered one', () => {
    expect(raisedBy({ hostname: 'web2' })).toEqual({
      hostname_changed: { registered: 'web1', reported: 'web2' },
    })
  })

  test('is not raised by the same name in other letters', () => {
    expect(raisedBy({ hostname: 'WEB1' })).toEqual({})
  })
})

test('exactly three flags stay until an operator acknowledges them', () => {
  expect(STICKY_FLAGS).toEqual(['identity_conflict', 'chain_broken', 'history_lost'])
})
