import { expect, test } from 'vitest'
import type { EvaluationResult } from '../../../src/evaluator/nix/types.ts'
import { createFlakeRepository } from '../../support/flake-repository.ts'
import { processesWith } from '../../support/processes-of.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { createTestNix, evaluateAll, failureOf } from '../../support/test-nix.ts'
import { waitFor } from '../../support/wait.ts'

/** Neither memory nor stack grows while it runs. */
const LOOP = `let numbers = builtins.genList (n: n) 100000; in
  builtins.foldl' (a: _: builtins.foldl' (b: _: b) a numbers) 0 numbers`

const EAT = `builtins.foldl' (all: n: let more = builtins.genList (m: m) 1000000; in builtins.seq more [ more all ]) [ ]
  (builtins.genList (n: n) 1000000)`

/** Some 50 MiB that live as long as the flake. */
const heavy = (n: number): string => `let all = builtins.genList (m: m + ${n}) 1000000; in
  builtins.seq (builtins.foldl' (a: b: a + b) 0 all) (nixos "x" { } // { kept = all; })`

const good = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`good${n}`, `nixos "good${n}" { }`]))

const failuresOf = (results: ReadonlyMap<string, EvaluationResult>): string[] =>
  [...results.values()].filter(({ status }) => status === 'failed').map(({ configuration }) => configuration)

test('nothing is left running after a time-out, and the others have their results', async () => {
  const stateDirectory = await temporaryDirectory()
  const nix = await createTestNix({ stateDirectory, timeoutMs: 3000 })
  const { commitFlake } = await createFlakeRepository()
  const results = await evaluateAll(nix, await commitFlake({ ...good(6), loop: LOOP }))
  expect(failuresOf(results)).toEqual(['loop'])
  expect(failureOf(results, 'loop').cause).toBe('timeout')
  expect(await processesWith(stateDirectory)).toEqual([])
})

test('an abort ends every process, and rejects with its reason', async () => {
  const stateDirectory = await temporaryDirectory()
  const nix = await createTestNix({ stateDirectory })
  const { commitFlake } = await createFlakeRepository()
  const flake = await nix.fetchInputs(await commitFlake({ ...good(3), loop: LOOP, loop2: LOOP }), {})
  const abort = new AbortController()
  const names = ['good0', 'good1', 'good2', 'loop', 'loop2']
  let done = 0
  const evaluation = nix.evaluate(flake, names, { onResult: () => (done += 1), signal: abort.signal })
  await waitFor(() => done === 3)
  await waitFor(async () => (await processesWith(stateDirectory)).length === 2)
  const reason = new Error('stop')
  abort.abort(reason)
  await expect(evaluation).rejects.toBe(reason)
  expect(await processesWith(stateDirectory)).toEqual([])
})

test('what the receiver of results throws ends the evaluation', async () => {
  const stateDirectory = await temporaryDirectory()
  const nix = await createTestNix({ stateDirectory })
  const { commitFlake } = await createFlakeRepository()
  const flake = await nix.fetchInputs(await commitFlake({ ...good(2), loop: LOOP }), {})
  const reason = new Error('no database')
  const onResult = (): void => {
    throw reason
  }
  await expect(nix.evaluate(flake, ['good0', 'loop', 'good1'], { onResult })).rejects.toBe(reason)
  expect(await processesWith(stateDirectory)).toEqual([])
})

test('no process has more memory than its part of the budget, and the others have their results', async () => {
  const memoryBudgetBytes = 600 * 2 ** 20
  const nix = await createTestNix({ memoryBudgetBytes })
  const { commitFlake } = await createFlakeRepository()
  const results = await evaluateAll(nix, await commitFlake({ ...good(6), eater: EAT, eater2: EAT }))
  expect(failuresOf(results).toSorted()).toEqual(['eater', 'eater2'])
  for (const name of ['eater', 'eater2']) {
    const { cause, peakMemoryBytes } = failureOf(results, name)
    expect(cause).toBe('out_of_memory')
    expect(peakMemoryBytes).toBeGreaterThan(100 * 2 ** 20)
    expect(peakMemoryBytes).toBeLessThanOrEqual(memoryBudgetBytes / 2 + 512 * 2 ** 20)
  }
})

test('configurations that fit one by one but not together are evaluated in several processes', async () => {
  const nix = await createTestNix({ workers: 1, memoryBudgetBytes: 250 * 2 ** 20 })
  const { commitFlake } = await createFlakeRepository()
  const configurations = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`host${n}`, heavy(n)]))
  const results = await evaluateAll(nix, await commitFlake(configurations))
  expect(failuresOf(results)).toEqual([])
  expect(results.size).toBe(6)
})

test('a flake that never comes to a configuration is an error, and nothing is left running', async () => {
  const stateDirectory = await temporaryDirectory()
  const nix = await createTestNix({ stateDirectory, timeoutMs: 2000 })
  const { commitFlake } = await createFlakeRepository()
  const flakeNix = `{ outputs = _: { nixosConfigurations = ${LOOP}; }; }`
  const flake = await nix.fetchInputs(await commitFlake({}, { 'flake.nix': flakeNix }), {})
  const timeout = { kind: 'timeout', canHeal: true }
  await expect(nix.listConfigurations(flake, {})).rejects.toMatchObject(timeout)
  await expect(nix.evaluate(flake, ['web'], { onResult: () => {} })).rejects.toMatchObject(timeout)
  expect(await processesWith(stateDirectory)).toEqual([])
})

test('a flake that eats memory before any configuration is an error', async () => {
  const nix = await createTestNix({ memoryBudgetBytes: 600 * 2 ** 20 })
  const { commitFlake } = await createFlakeRepository()
  const flakeNix = `{ outputs = _: { nixosConfigurations = builtins.seq (${EAT}) { }; }; }`
  const flake = await nix.fetchInputs(await commitFlake({}, { 'flake.nix': flakeNix }), {})
  const outOfMemory = { kind: 'out_of_memory', canHeal: false }
  await expect(nix.listConfigurations(flake, {})).rejects.toMatchObject(outOfMemory)
  await expect(nix.evaluate(flake, ['web'], { onResult: () => {} })).rejects.toMatchObject(outOfMemory)
})
