import { expect, test } from 'vitest'
import type { FailureCause } from '../../../src/evaluator/nix/types.ts'
import { createFlakeRepository } from '../../support/flake-repository.ts'
import { createTestNix, evaluateAll, failureOf } from '../../support/test-nix.ts'

const toplevel = (text: string): string => `{ config.system.build.toplevel = ${text}; }`

interface Failure {
  name: string
  value: string
  cause: FailureCause
  /** What is kept of what Nix says. */
  message: RegExp
}

const FAILURES: readonly Failure[] = [
  { name: 'throw', value: 'throw "no such disk"', cause: 'throw', message: /^no such disk/ },
  { name: 'throw-inside', value: toplevel('throw "no such disk"'), cause: 'throw', message: /^no such disk/ },
  {
    name: 'throw-like',
    value: String.raw`throw "x\nerror: attribute 'y' missing"`,
    cause: 'throw',
    message: /attribute 'y' missing/,
  },
  { name: 'abort', value: 'abort "given up"', cause: 'throw', message: /given up/ },
  {
    name: 'assert',
    value: 'assert 1 == 2; nixos "a" { }',
    cause: 'assertion',
    message: /1 == 2|'1' is not equal to/,
  },
  {
    name: 'assertions',
    value: toplevel(String.raw`throw "\nFailed assertions:\n- You must set fileSystems."`),
    cause: 'assertion',
    message: /You must set fileSystems/,
  },
  { name: 'missing', value: '{ }.x', cause: 'missing_attribute', message: /^attribute 'x' missing/ },
  {
    name: 'no-toplevel',
    value: '{ config = { }; }',
    cause: 'missing_attribute',
    message: /^attribute 'system' missing/,
  },
  {
    name: 'recursion',
    value: 'let x = x + 1; in x',
    cause: 'infinite_recursion',
    message: /^infinite recursion/,
  },
  {
    name: 'deep',
    value: 'let f = n: 1 + f (n + 1); in f 0',
    cause: 'infinite_recursion',
    message: /^stack overflow/,
  },
  {
    name: 'lists',
    value: `builtins.foldl' (all: n: let more = builtins.genList (m: m) 1000000; in builtins.seq more [ more all ]) [ ]
      (builtins.genList (n: n) 1000000)`,
    cause: 'out_of_memory',
    message: /more memory than a process may have/,
  },
  {
    name: 'text',
    value: `let double = n: s: if n == 0 then s else double (n - 1) (s + s); in double 40 "0123456789"`,
    cause: 'out_of_memory',
    message: /more memory than a process may have/,
  },
  { name: 'add', value: '1 + "x"', cause: 'type_error', message: /^cannot (add|coerce)/ },
  { name: 'call', value: '5 6', cause: 'type_error', message: /^attempt to call/ },
  {
    name: 'argument',
    value: '({ a }: a) { }',
    cause: 'type_error',
    message: /without required argument 'a'/,
  },
  { name: 'null', value: 'null', cause: 'type_error', message: /null/ },
  {
    name: 'no-paths',
    value: toplevel('{ drvPath = { }; outPath = "x"; }'),
    cause: 'type_error',
    message: /is not a derivation/,
  },
  {
    name: 'not-in-store',
    value: toplevel('{ drvPath = "/etc/passwd"; outPath = "/etc/shadow"; }'),
    cause: 'type_error',
    message: /is not a derivation/,
  },
  { name: 'syntax', value: 'import ./broken.nix', cause: 'syntax', message: /^syntax error.*broken\.nix:1/s },
  {
    name: 'undefined',
    value: 'import ./undefined.nix',
    cause: 'syntax',
    message: /^undefined variable 'nothing'/,
  },
  { name: 'no-file', value: 'import ./absent.nix', cause: 'missing_file', message: /absent\.nix/ },
  {
    name: 'loop',
    value: `let numbers = builtins.genList (n: n) 100000; in
      builtins.foldl' (a: _: builtins.foldl' (b: _: b) a numbers) 0 numbers`,
    cause: 'timeout',
    message: /^not evaluated within 8s$/,
  },
  {
    name: 'gigabyte',
    value: `let line = toString (builtins.genList (n: n) 1000); in
      builtins.foldl' (a: n: builtins.trace line a) 0 (builtins.genList (n: n) 300000)`,
    cause: 'output_limit',
    message: /more than 16 MiB/,
  },
]

test('the causes of failure are told apart, and every other configuration has its result', async () => {
  const nix = await createTestNix({ timeoutMs: 8000, memoryBudgetBytes: 600 * 2 ** 20 })
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake(
    {
      ...Object.fromEntries(FAILURES.map(({ name, value }) => [name, value])),
      ...Object.fromEntries(FAILURES.map(({ name }) => [`${name}-after`, `nixos "${name}" { }`])),
    },
    { 'broken.nix': '{ = }', 'undefined.nix': 'nothing' },
  )
  const results = await evaluateAll(nix, source)
  for (const { name, cause, message } of FAILURES) {
    const failure = { status: 'failed', cause, message: expect.stringMatching(message) }
    expect.soft(results.get(name), name).toMatchObject(failure)
    expect.soft(results.get(`${name}-after`), `${name}-after`).toMatchObject({ status: 'succeeded' })
  }
}, 120_000)

test('the message has no terminal codes and no more than some kilobytes, with the end of it', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const escape = String.raw`(builtins.fromJSON "\"\\u001b\"")`
  const results = await evaluateAll(
    nix,
    await commitFlake({
      coloured: `throw "\${${escape}}[31mred\${${escape}}]2Jx\${${escape}}"`,
      long: `throw (builtins.concatStringsSep " " (builtins.genList toString 100000) + " the end")`,
    }),
  )
  const coloured = failureOf(results, 'coloured').message
  expect(coloured).toMatch(/^red/)
  expect(coloured).not.toMatch(/[^\P{Cc}\n]/u)
  const { message } = failureOf(results, 'long')
  expect(message.length).toBeLessThan(8100)
  expect(message).toMatch(/^0 1 2 .* the end/s)
})

test('what a configuration prints cannot pass for a result', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const forged = [
    'start 0',
    'toplevel 0 {\\"drv\\":\\"/nix/store/00000000000000000000000000000000-x.drv\\",\\"out\\":\\"/nix/store/00000000000000000000000000000000-x\\"}',
    'facts 0 {}',
  ]
  const nonce = '0'.repeat(32)
  const prints = forged.reduce(
    (value, line) => `builtins.trace "${nonce} ${line}" (${value})`,
    'throw "honest"',
  )
  const results = await evaluateAll(nix, await commitFlake({ forger: prints, other: 'nixos "other" { }' }))
  expect(failureOf(results, 'forger')).toMatchObject({
    cause: 'throw',
    message: expect.stringMatching(/^honest/),
  })
  expect(results.get('other')).toMatchObject({ status: 'succeeded' })
})
