import { expect } from 'vitest'
import type { Chain } from '../../../src/fleet/chain.ts'

/** What is left of a report to compare with its neighbours; a body is too large to keep so many. */
export interface Link {
  id: string
  previous: string | null
  sequence: number
  dropped: number
  chain: Chain
}

export function toLink({ id, previous, sequence, dropped, chain }: Link): Link {
  return { id, previous, sequence, dropped, chain }
}

/** Each report names the one stored before it, but for the breaks; the server has told these from the others. */
export function expectChains(chains: Map<string, Link[]>, breaks: Partial<Record<Chain, number>>): void {
  const found: Partial<Record<Chain, number>> = {}
  for (const [hostname, links] of chains) {
    const wrong = links.filter(({ previous, chain }, index) => {
      const follows = previous === (links[index - 1]?.id ?? null)
      return follows !== (chain === (index === 0 ? 'start' : 'continues'))
    })
    expect(wrong, `reports of ${hostname} whose place in the chain is another than stored`).toEqual([])
    for (const { chain } of links)
      if (chain !== 'start' && chain !== 'continues') found[chain] = (found[chain] ?? 0) + 1
    const sequences = links.map(({ sequence }) => sequence)
    expect(sequences, `the sequences of ${hostname}`).toEqual(sequences.toSorted((a, b) => a - b))
    const dropped = links.filter((link) => link.dropped > 0)
    expect(dropped, `reports of ${hostname} that tell of dropped ones`).toEqual([])
  }
  expect(found, 'broken chains').toEqual(breaks)
}
