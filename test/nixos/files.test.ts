import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess } from '../../src/lib/process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { ROOT } from './support/nix.ts'

test('every Nix file can be read by Nix', async () => {
  const found = await Promise.all(
    ['nix', 'test/nixos'].map((directory) => readdir(join(ROOT, directory), { recursive: true })),
  )
  const files = [
    'flake.nix',
    ...found[0]!.map((name) => join('nix', name)),
    ...found[1]!.map((name) => join('test/nixos', name)),
  ].filter((name) => name.endsWith('.nix'))
  expect(files.length).toBeGreaterThan(20)
  const home = await temporaryDirectory()
  const { code, stderr } = await runProcess('nix-instantiate', ['--parse', '--store', home, ...files], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: home },
    timeoutMs: 30_000,
    maxOutputBytes: 2 ** 22,
  })
  expect({ code, stderr }).toMatchObject({ code: 0 })
})
