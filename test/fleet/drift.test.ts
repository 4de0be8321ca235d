import { describe, expect, test } from 'vitest'
import type { BranchFacts } from '../../src/fleet/drift.ts'
import {
  commit,
  REGISTERED,
  ASSIGNED,
  RUNNING,
  branchOf,
  headOf,
  goodAt,
  matchAt,
  untilOf,
  elsewhereOf,
  judge,
  judgeBranch,
} from '../support/drift-facts.ts'

describe('the states, one after the other', () => {
  test('no_report: it never sent a state report, whatever it has to run', () => {
    for (const pinnedPath of [null, 'new'])
      expect(judge({ pinnedPath, hasReported: false, running: null })).toMatchObject({
        state: 'no_report',
        since: REGISTERED,
        reason: null,
        runningPath: null,
        desiredPath: 'new',
      })
  })

  test('no_report, with the reason, where its reports do not say what it runs', () => {
    expect(judge({ running: null })).toMatchObject({ state: 'no_report', reason: 'unreadable' })
  })

  test('unassigned: it has no flake and no pinned path', () => {
    expect(judge({ branch: null })).toEqual({
      state: 'unassigned',
      since: RUNNING,
      standing: 'unassigned',
      standingSince: RUNNING,
      reason: null,
      runningPath: 'old',
      desiredPath: null,
      runningCommitId: null,
      desiredCommitId: null,
      headCommitId: null,
      specialisation: null,
      configuration: null,
      commitsBehind: null,
      commitsUnknown: null,
    })
  })

  test('in_sync: it runs its pinned path, with a flake or without', () => {
    for (const branch of [null, branchOf()])
      expect(judge({ branch, pinnedPath: 'old' })).toMatchObject({
        state: 'in_sync',
        standing: 'in_sync',
        desiredPath: 'old',
        desiredCommitId: null,
      })
  })

  test('pinned_mismatch: it runs another path than its pinned one, be it that of the newest commit', () => {
    const runsNewest = judgeBranch(
      { match: matchAt(9) },
      { pinnedPath: 'pinned', running: { path: 'new', since: 100 } },
    )
    expect(runsNewest).toMatchObject({ state: 'pinned_mismatch', since: 100, desiredPath: 'pinned' })
  })

  test('a failed or unevaluated newest commit is nothing to a pinned system', () => {
    for (const outcome of ['failed', 'not_in_flake', 'pending'] as const)
      expect(judgeBranch({ head: headOf(outcome), good: goodAt(8) }, { pinnedPath: 'old' })).toMatchObject({
        state: 'in_sync',
        standing: 'in_sync',
      })
  })

  test('evaluation_failed: the newest commit fails for it', () => {
    expect(judgeBranch({ head: headOf('failed'), good: goodAt(8), match: matchAt(8) })).toMatchObject({
      state: 'evaluation_failed',
      reason: null,
      desiredPath: 'new',
      desiredCommitId: 8,
      headCommitId: 9,
    })
  })

  test('evaluation_failed, with the reason, where the newest commit has no such configuration', () => {
    expect(judgeBranch({ head: headOf('not_in_flake'), good: null })).toMatchObject({
      state: 'evaluation_failed',
      reason: 'not_in_flake',
    })
  })

  test('in_sync: it runs what the newest commit evaluates to', () => {
    expect(judgeBranch({ match: matchAt(9) }, { running: { path: 'new', since: 100 } })).toMatchObject({
      state: 'in_sync',
      since: 100,
      standing: 'in_sync',
      runningPath: 'new',
      desiredPath: 'new',
      runningCommitId: 9,
      desiredCommitId: 9,
      headCommitId: 9,
      commitsBehind: null,
      commitsUnknown: null,
    })
  })

  test('pending: the newest commit is not evaluated for it', () => {
    expect(judgeBranch({ head: headOf('pending'), good: goodAt(8), match: matchAt(8) })).toMatchObject({
      state: 'pending',
      since: 90,
      reason: null,
      standing: 'in_sync',
    })
  })

  test('pending: nothing is known of the branch', () => {
    expect(judgeBranch({ head: null, good: null })).toMatchObject({
      state: 'pending',
      since: ASSIGNED,
      standing: 'pending',
      desiredPath: null,
      headCommitId: null,
    })
  })

  test('behind: it runs the evaluated system of an older commit', () => {
    const until = untilOf({ 7: 'old', 8: 'newer', 9: 'new' })
    expect(judgeBranch({ match: matchAt(7, { until }) })).toMatchObject({
      state: 'behind',
      runningCommitId: 7,
      desiredCommitId: 9,
      commitsBehind: 2,
    })
  })

  test('off_branch: it runs the evaluated system of a commit that the branch does not have', () => {
    expect(judgeBranch({ elsewhere: elsewhereOf() })).toMatchObject({
      state: 'off_branch',
      runningCommitId: 40,
      configuration: null,
    })
  })

  test('wrong_configuration: a commit gives what it runs to another configuration, which is named', () => {
    const elsewhere = elsewhereOf({ state: 'wrong_configuration', configuration: 'db1' })
    expect(judgeBranch({ elsewhere })).toMatchObject({
      state: 'wrong_configuration',
      runningCommitId: 40,
      configuration: 'db1',
    })
  })

  test('unmanaged: none of the commits within the search depth gives what it runs', () => {
    expect(judgeBranch({})).toMatchObject({ state: 'unmanaged', since: RUNNING, runningCommitId: null })
  })

  test('pending, with the reason searching, while some of them are not evaluated', () => {
    expect(judgeBranch({ unsearched: [commit(3)] }, { running: { path: 'old', since: 35 } })).toMatchObject({
      state: 'pending',
      reason: 'searching',
      since: 35,
      standing: 'pending',
    })
  })
})

describe('of several that fit, the first counts', () => {
  const everything = {
    head: headOf('failed'),
    good: goodAt(8),
    match: matchAt(8),
    elsewhere: elsewhereOf(),
    unsearched: [commit(3)],
  }

  test.each([
    { state: 'no_report', facts: { running: null, pinnedPath: 'old' } },
    { state: 'in_sync', facts: { pinnedPath: 'old', branch: branchOf(everything) } },
    { state: 'evaluation_failed', facts: { branch: branchOf(everything) } },
    { state: 'pending', facts: { branch: branchOf({ ...everything, head: headOf('pending') }) } },
    {
      state: 'in_sync',
      facts: { branch: branchOf({ elsewhere: elsewhereOf(), unsearched: [commit(3)], match: matchAt(9) }) },
    },
    {
      state: 'behind',
      facts: { branch: branchOf({ elsewhere: elsewhereOf(), unsearched: [commit(3)], match: matchAt(8) }) },
    },
    {
      state: 'off_branch',
      facts: { branch: branchOf({ elsewhere: elsewhereOf(), unsearched: [commit(3)] }) },
    },
    {
      state: 'pending',
      facts: { branch: branchOf({ unsearched: [commit(3)] }), running: { path: 'x', since: 30 } },
    },
  ])('$state', ({ state, facts }) => {
    expect(judge(facts).state).toBe(state)
  })
})

describe('the standing, while the newest commit says nothing', () => {
  const states = [
    { standing: 'in_sync', facts: { match: matchAt(8) } },
    { standing: 'behind', facts: { match: matchAt(7, { until: untilOf({ 7: 'old', 8: 'new' }) }) } },
    { standing: 'off_branch', facts: { elsewhere: elsewhereOf() } },
    { standing: 'wrong_configuration', facts: { elsewhere: elsewhereOf({ state: 'wrong_configuration' }) } },
    { standing: 'unmanaged', facts: {} },
  ] satisfies { standing: string; facts: Partial<BranchFacts> }[]

  describe.each(['pending', 'failed', 'not_in_flake'] as const)('%s', (outcome) => {
    test.each(states)('is that against the newest good commit: $standing', ({ standing, facts }) => {
      const good = judgeBranch({ ...facts, head: headOf('succeeded'), good: goodAt(8) })
      const drift = judgeBranch({ ...facts, head: headOf(outcome), good: goodAt(8) })
      expect(drift.state).toBe(outcome === 'pending' ? 'pending' : 'evaluation_failed')
      expect(drift).toMatchObject({ standing, standingSince: good.since })
      expect(drift).toMatchObject({
        runningCommitId: good.runningCommitId,
        configuration: good.configuration,
        commitsBehind: good.commitsBehind,
        commitsUnknown: good.commitsUnknown,
      })
    })

    test('is the state itself where no commit is good', () => {
      const drift = judgeBranch({ head: headOf(outcome), good: null })
      expect(drift.standing).toBe(drift.state)
      expect(drift.standingSince).toBe(drift.since)
    })
  })

  test('stays unmanaged after a push: what arrived later does not explain what runs', () => {
    const running = { path: 'old', since: 85 }
    expect(
      judgeBranch({ head: headOf('pending'), good: goodAt(8), unsearched: [commit(9)] }, { running }),
    ).toMatchObject({ state: 'pending', standing: 'unmanaged', standingSince: 85 })
    expect(judgeBranch({ unsearched: [commit(9)] }, { running })).toMatchObject({
      state: 'pending',
      reason: 'searching',
      standing: 'unmanaged',
      standingSince: 85,
    })
  })

  test('is pending where a commit that is not evaluated may be what was just deployed', () => {
    const running = { path: 'just built', since: 95 }
    expect(
      judgeBranch({ head: headOf('pending'), good: goodAt(8), unsearched: [commit(9)] }, { running }),
    ).toMatchObject({ state: 'pending', standing: 'pending', standingSince: 95 })
  })

  test('is the state itself where the newest commit is good', () => {
    for (const { facts } of states) {
      const drift = judgeBranch({ ...facts, head: headOf('succeeded'), good: goodAt(8) })
      expect(drift).toMatchObject({ standing: drift.state, standingSince: drift.since })
    }
  })
})
