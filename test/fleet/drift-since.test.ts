import { describe, expect, test } from 'vitest'
import type { DriftFacts } from '../../src/fleet/drift.ts'
import {
  branchOf,
  headOf,
  goodAt,
  matchAt,
  untilOf,
  elsewhereOf,
  judge,
  judgeBranch,
} from '../support/drift-facts.ts'

const behind = (paths: Record<number, string>, unknown = 0) =>
  judgeBranch({ match: matchAt(3, { until: untilOf(paths), unknown }) })

describe('how far behind', () => {
  test.each([
    {
      name: 'each later commit that changes its path',
      paths: { 3: 'old', 4: 'a', 5: 'b', 9: 'new' },
      count: 3,
    },
    {
      name: 'not one that changes nothing',
      paths: { 3: 'old', 4: 'a', 5: 'a', 6: 'new', 9: 'new' },
      count: 2,
    },
    { name: 'one that changes it back', paths: { 3: 'old', 4: 'a', 5: 'old', 9: 'new' }, count: 3 },
  ])('counts $name', ({ paths, count }) => {
    expect(behind(paths).commitsBehind).toBe(count)
  })

  test('tells how many commits between have no result', () => {
    expect(behind({ 3: 'old', 9: 'new' }, 4)).toMatchObject({ commitsBehind: 1, commitsUnknown: 4 })
  })

  test('is told with the specialisation that runs', () => {
    const until = untilOf({ 3: 'whole', 9: 'new' })
    expect(judgeBranch({ match: matchAt(3, { specialisation: 'gaming', until }) })).toMatchObject({
      state: 'behind',
      specialisation: 'gaming',
      commitsBehind: 1,
    })
  })

  test('is each commit where the configuration embeds its revision', () => {
    const paths = Object.fromEntries([3, 4, 5, 6, 7, 8, 9].map((id) => [id, `revision ${id}`]))
    expect(behind(paths).commitsBehind).toBe(6)
  })
})

test('a specialisation of the newest commit is in sync, and named', () => {
  expect(judgeBranch({ match: matchAt(9, { specialisation: 'gaming' }) })).toMatchObject({
    state: 'in_sync',
    specialisation: 'gaming',
  })
})

test('a specialisation of what another configuration or branch gives is named', () => {
  expect(judgeBranch({ elsewhere: elsewhereOf({ specialisation: 'gaming' }) })).toMatchObject({
    state: 'off_branch',
    specialisation: 'gaming',
  })
})

describe('since', () => {
  const until = untilOf({ 3: 'old', 5: 'a', 9: 'new' })
  const cases: { name: string; facts: Partial<DriftFacts>; since: number }[] = [
    {
      name: 'pinned: it runs it',
      facts: { pinnedPath: 'old', running: { path: 'old', since: 60 } },
      since: 60,
    },
    { name: 'pinned: it was pinned', facts: { pinnedPath: 'old', assignedAt: 70 }, since: 70 },
    { name: 'unassigned: its flake was taken away', facts: { branch: null, assignedAt: 70 }, since: 70 },
    {
      name: 'in_sync: the first of the commits that give what it runs arrived',
      facts: { branch: branchOf({ match: matchAt(9, { runArrivedAt: 60 }) }) },
      since: 60,
    },
    {
      name: 'in_sync: it runs it, deployed after the commit arrived',
      facts: {
        branch: branchOf({ match: matchAt(9, { runArrivedAt: 60 }) }),
        running: { path: 'new', since: 95 },
      },
      since: 95,
    },
    {
      name: 'in_sync: it was assigned',
      facts: { branch: branchOf({ match: matchAt(9, { runArrivedAt: 60 }) }), assignedAt: 99 },
      since: 99,
    },
    {
      name: 'behind: the first of the changing commits arrived',
      facts: { branch: branchOf({ match: matchAt(3, { until }) }) },
      since: 50,
    },
    {
      name: 'behind: it went back to the older system',
      facts: { branch: branchOf({ match: matchAt(3, { until }) }), running: { path: 'old', since: 95 } },
      since: 95,
    },
    {
      name: 'off_branch: the branch lost the commit',
      facts: { branch: branchOf({ elsewhere: elsewhereOf({ leftAt: 80 }) }) },
      since: 80,
    },
    {
      name: 'off_branch: it began to run what another branch gives',
      facts: { branch: branchOf({ elsewhere: elsewhereOf() }), running: { path: 'old', since: 66 } },
      since: 66,
    },
    { name: 'unmanaged: it began to run it', facts: { running: { path: 'old', since: 66 } }, since: 66 },
    {
      name: 'pending: the newest commit arrived',
      facts: { branch: branchOf({ head: headOf('pending'), good: null }) },
      since: 90,
    },
    {
      name: 'pending: it was assigned to a branch that waits already',
      facts: { branch: branchOf({ head: headOf('pending'), good: null }), assignedAt: 99 },
      since: 99,
    },
    {
      name: 'evaluation_failed: the first of the failing commits arrived',
      facts: { branch: branchOf({ head: headOf('failed'), good: goodAt(3), failedSince: 40 }) },
      since: 40,
    },
    {
      name: 'evaluation_failed: it was assigned to a configuration that fails already',
      facts: {
        branch: branchOf({ head: headOf('failed'), good: goodAt(3), failedSince: 40 }),
        assignedAt: 99,
      },
      since: 99,
    },
  ]
  test.each(cases)('is when, $name', ({ facts, since }) => {
    expect(judge(facts).since).toBe(since)
  })
})
