import { describe, expect, test } from 'vitest'
import { isBroken, placeInChain } from '../../src/fleet/chain.ts'

const ONE = `sha256:${'1'.repeat(64)}`
const TWO = `sha256:${'2'.repeat(64)}`

describe('a report in its chain', () => {
  test.each([
    { previous: null, newest: null, isKnown: false, chain: 'start', broken: false },
    { previous: TWO, newest: TWO, isKnown: true, chain: 'continues', broken: false },
    { previous: TWO, newest: TWO, isKnown: false, chain: 'continues', broken: false },
    { previous: null, newest: TWO, isKnown: false, chain: 'restart', broken: true },
    { previous: ONE, newest: TWO, isKnown: true, chain: 'fork', broken: true },
    { previous: ONE, newest: TWO, isKnown: false, chain: 'gap', broken: true },
    { previous: ONE, newest: null, isKnown: false, chain: 'gap', broken: true },
  ])('$chain: $previous after $newest, known: $isKnown', ({ chain, broken, ...report }) => {
    expect(placeInChain(report)).toBe(chain)
    expect(isBroken(placeInChain(report))).toBe(broken)
  })

  test('without predecessors, as in version 0, nothing is broken', () => {
    expect(isBroken('unchained')).toBe(false)
  })
})
