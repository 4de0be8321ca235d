import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createFlakeRepository, NIXOS } from '../../support/flake-repository.ts'
import { createTestRepository } from '../../support/git-repository.ts'
import { createTestNix, evaluateAll, evaluateFetched, failureOf, watchNix } from '../../support/test-nix.ts'

const STORE_PATH = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-/

test('Nix says its version', async () => {
  const nix = await createTestNix()
  expect(await nix.version()).toMatch(/^nix \(.*\) \d+\.\d+/)
})

test('the configurations of a flake are listed in order', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const flake = await nix.fetchInputs(await commitFlake({ web: 'nixos "web" { }', db: 'throw "bad"' }), {})
  expect(await nix.listConfigurations(flake, {})).toEqual(['db', 'web'])
})

test('a flake without any configuration has none; one without nixosConfigurations is an error that says so', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const empty = await nix.fetchInputs(await commitFlake({}), {})
  expect(await nix.listConfigurations(empty, {})).toEqual([])
  const other = await nix.fetchInputs(await commitFlake({}, { 'flake.nix': '{ outputs = _: { }; }' }), {})
  await expect(nix.listConfigurations(other, {})).rejects.toMatchObject({
    kind: 'no_configurations',
    canHeal: false,
  })
})

test('a configuration gives its paths, versions and cost', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const results = await evaluateAll(nix, await commitFlake({ web: 'nixos "web" { }' }))
  expect(results.get('web')).toEqual({
    configuration: 'web',
    status: 'succeeded',
    drvPath: expect.stringMatching(/^\/nix\/store\/.{32}-nixos-system-web-.*\.drv$/),
    outPath: expect.stringMatching(/^\/nix\/store\/.{32}-nixos-system-web-22\.11\.20230101\.abcdef0$/),
    system: 'x86_64-linux',
    nixosVersion: '22.11.20230101.abcdef0',
    kernelVersion: '5.15.86',
    stateVersion: '22.11',
    embedsRevision: false,
    specialisations: [],
    durationMs: expect.any(Number),
    peakMemoryBytes: expect.any(Number),
  })
})

test('the paths are those that nix itself gives', async () => {
  const nix = await createTestNix()
  const { commitFlake, path } = await createFlakeRepository()
  const source = await commitFlake({ web: 'nixos "web" { }' })
  const results = await evaluateAll(nix, source)
  const flakes = ['--extra-experimental-features', 'nix-command flakes']
  const attribute = `${path}#nixosConfigurations.web.config.system.build.toplevel.outPath`
  const { stdout } = await promisify(execFile)('nix', [...flakes, 'eval', '--raw', attribute])
  expect(results.get('web')).toMatchObject({ outPath: stdout })
})

test('what a configuration does not have is null, and what fails beside the system costs only itself', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const bare = `{ config.system.build.toplevel = (nixos "x" { }).config.system.build.toplevel; }`
  const results = await evaluateAll(
    nix,
    await commitFlake({
      bare,
      'no-version': '(nixos "x" { version = "1"; kernel = throw "no kernel"; release = 5; })',
      'no-attribute': `{ config = (${bare}).config // { specialisation = { }.missing; }; }`,
    }),
  )
  expect(results.get('bare')).toMatchObject({
    status: 'succeeded',
    nixosVersion: null,
    kernelVersion: null,
    stateVersion: null,
    embedsRevision: false,
  })
  expect(results.get('no-version')).toMatchObject({
    nixosVersion: '1',
    kernelVersion: null,
    stateVersion: null,
  })
  expect(results.get('no-attribute')).toMatchObject({ status: 'succeeded', specialisations: [] })
})

test('specialisations are given with their paths, a failed one is left out', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const results = await evaluateAll(
    nix,
    await commitFlake({
      web: 'nixos "web" { specialisation = { gaming = 1; "with space" = 2; }; }',
      half: `let good = nixos "half" { specialisation.ok = 1; }; in
        { config = good.config // { specialisation = good.config.specialisation // { bad = throw "bad"; }; }; }`,
    }),
  )
  expect(results.get('half')).toMatchObject({ specialisations: [{ name: 'ok' }] })
  expect(results.get('web')).toMatchObject({
    specialisations: [
      { name: 'gaming', outPath: expect.stringMatching(/-nixos-system-web-gaming-22\.11/) },
      { name: 'with space', outPath: expect.stringMatching(/-nixos-system-web-with_space-22\.11/) },
    ],
  })
})

test('a configuration that has the revision in it says so, and its path changes with every commit', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const web = 'nixos "web" { revision = self.rev; content = self.rev; }'
  const first = await evaluateAll(nix, await commitFlake({ web }))
  const second = await evaluateAll(nix, await commitFlake({ web }))
  expect(first.get('web')).toMatchObject({ status: 'succeeded', embedsRevision: true })
  expect(second.get('web')).not.toMatchObject({ outPath: expect.stringMatching(outPathOf(first.get('web'))) })
})

test('a commit that does not change a configuration leaves its path', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const web = 'nixos "web" { }'
  const first = await evaluateAll(nix, await commitFlake({ web }))
  const second = await evaluateAll(nix, await commitFlake({ web }, { README: 'another' }))
  expect(outPathOf(second.get('web'))).toBe(outPathOf(first.get('web')))
})

test('an older commit is evaluated as it was', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const first = await commitFlake({ web: 'nixos "web" { content = "1"; }' })
  const before = await evaluateAll(nix, first)
  await commitFlake({ web: 'nixos "web" { content = "2"; }' })
  expect(outPathOf((await evaluateAll(nix, first)).get('web'))).toBe(outPathOf(before.get('web')))
})

test('locked inputs are fetched, given with their revisions, and used', async () => {
  const nix = await createTestNix()
  const library = await createTestRepository()
  const rev = await library.commit({ 'flake.nix': '{ outputs = _: { content = "from the input"; }; }' })
  const flake = await createFlakeRepository()
  await flake.commitFlake(
    { web: 'nixos "web" { inherit (inputs.library) content; }' },
    {
      'flake.nix': `{
        inputs.library.url = "${library.url}";
        outputs = { self, library }@inputs: {
          nixosConfigurations = import ./configurations.nix { inherit self inputs; nixos = import ./nixos.nix; };
        };
      }`,
    },
  )
  const arguments_ = ['--extra-experimental-features', 'nix-command flakes', 'flake', 'lock', flake.path]
  await promisify(execFile)('nix', arguments_)
  await flake.commit({})
  const source = await flake.source()
  const fetched = await nix.fetchInputs(source, {})
  expect(fetched.inputs).toEqual([
    {
      name: 'library',
      type: 'git',
      url: `file://${library.path}`,
      revision: rev,
      narHash: expect.stringMatching(/^sha256-/),
      lastModified: expect.any(Date),
    },
  ])
  await rm(library.path, { recursive: true })
  const results = await evaluateFetched(nix, fetched)
  expect(results.get('web')).toMatchObject({ status: 'succeeded' })
})

test('a flake in a directory of its repository is evaluated there', async () => {
  const nix = await createTestNix()
  const flake = await createFlakeRepository()
  const directory = 'machines/at home'
  await flake.commit({
    [`${directory}/flake.nix`]: `{ outputs = _: {
      nixosConfigurations.web = import ../../nixos.nix "web" { content = builtins.readFile ./content; };
    }; }`,
    [`${directory}/content`]: 'x',
    'nixos.nix': NIXOS,
  })
  const results = await evaluateAll(nix, await flake.source({ directory }))
  expect(results.get('web')).toMatchObject({ status: 'succeeded' })
})

test('submodules are there when the flake is said to have them, and only then', async () => {
  const nix = await createTestNix()
  const part = await createTestRepository()
  await part.commit({ 'default.nix': '"from the submodule"' })
  const flake = await createFlakeRepository()
  await flake.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part.path, 'part')
  const source = await flake.commitFlake({ web: 'nixos "web" { content = import ./part; }' })
  const allowLocal = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'protocol.file.allow',
    GIT_CONFIG_VALUE_0: 'always',
  }
  const withSubmodules = await evaluateAll(nix, { ...source, submodules: true }, { env: allowLocal })
  expect(withSubmodules.get('web')).toMatchObject({ status: 'succeeded' })
  expect(failureOf(await evaluateAll(nix, source), 'web').cause).toBe('missing_file')
})

test('of many configurations the bad ones fail alone, and none is evaluated twice', async () => {
  const { path, stderr } = await watchNix()
  const nix = await createTestNix({ environment: { PATH: path } })
  const flake = await createFlakeRepository()
  const names = Array.from({ length: 30 }, (_, index) => `host${index}`)
  const bad = names.filter((name) => name.endsWith('3'))
  const good = names.filter((name) => !bad.includes(name))
  const configurations = names.map((name) => {
    const value = bad.includes(name) ? `throw "${name} is bad"` : `nixos "${name}" { }`
    return [name, `builtins.trace "looking at ${name}" (${value})`]
  })
  const results = await evaluateAll(nix, await flake.commitFlake(Object.fromEntries(configurations)))
  expect([...results.keys()].toSorted()).toEqual(names.toSorted())
  for (const name of bad) {
    expect(failureOf(results, name)).toMatchObject({
      cause: 'throw',
      message: expect.stringContaining(`${name} is bad`),
    })
  }
  expect(good.map((name) => results.get(name)?.status)).toEqual(good.map(() => 'succeeded'))
  const looks = [...(await stderr()).matchAll(/looking at (.*)/g)].map((match) => match[1] ?? '')
  expect(looks.filter((name) => good.includes(name)).toSorted()).toEqual(good.toSorted())
})

test('the memory of the process is given', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const heavy = `let numbers = builtins.genList (n: { inherit n; }) 2000000; in
    nixos "heavy" { content = toString (builtins.foldl' (sum: each: sum + each.n) 0 numbers); }`
  const results = await evaluateAll(nix, await commitFlake({ heavy }))
  expect(results.get('heavy')?.peakMemoryBytes).toBeGreaterThan(50 * 2 ** 20)
})

function outPathOf(result: unknown): string {
  const path =
    typeof result === 'object' && result !== null && 'outPath' in result ? String(result.outPath) : ''
  expect(path).toMatch(STORE_PATH)
  return path
}
