import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createNix } from '../../../src/evaluator/nix/nix.ts'
import { createFlakeRepository } from '../../support/flake-repository.ts'
import { createTestRepository } from '../../support/git-repository.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { createTestNix, evaluateAll, evaluateFetched, nixAfter, NIX_PATH } from '../../support/test-nix.ts'

/** What tells the paths of a test from those of others in the store. */
const unique = (): string => randomBytes(8).toString('hex')

async function pathsWith(text: string): Promise<string[]> {
  return (await readdir('/nix/store')).filter((name) => name.includes(text))
}

/** Source trees that have this file. */
async function sourcesWith(file: string): Promise<string[]> {
  const sources = await pathsWith('-source')
  const found = await Promise.all(
    sources.map((name) =>
      access(join('/nix/store', name, file)).then(
        () => [name],
        () => [],
      ),
    ),
  )
  return found.flat()
}

test('a commit adds its files to the store and no derivation; collect removes them', async () => {
  const stateDirectory = await temporaryDirectory()
  const nix = await createTestNix({ stateDirectory })
  const mark = unique()
  const { commitFlake } = await createFlakeRepository()
  const configurations = { web: `nixos "${mark}" { specialisation.x = 1; }` }
  const first = await commitFlake(configurations, { [mark]: '1' })
  await evaluateAll(nix, first)
  expect(await sourcesWith(mark)).toHaveLength(1)
  const second = await commitFlake(configurations, { [mark]: '2' })
  await evaluateAll(nix, second)
  expect(await sourcesWith(mark)).toHaveLength(2)
  expect(await pathsWith(mark)).toEqual([])
  await nix.collect([second], {})
  expect(await sourcesWith(mark)).toHaveLength(1)
  expect((await evaluateAll(nix, second)).get('web')).toMatchObject({ status: 'succeeded' })
  await nix.collect([], {})
  expect(await sourcesWith(mark)).toEqual([])
  expect(await readdir(join(stateDirectory, 'nix/caches'))).toEqual([])
  expect((await evaluateAll(nix, first)).get('web')).toMatchObject({ status: 'succeeded' })
})

test('a collection that is interrupted is finished by the next', async () => {
  const nix = await createTestNix()
  const mark = unique()
  const { commitFlake } = await createFlakeRepository()
  await evaluateAll(nix, await commitFlake({ web: 'nixos "web" { }' }, { [mark]: '' }))
  const interruption = new Error('interrupted')
  await expect(nix.collect([], { signal: AbortSignal.abort(interruption) })).rejects.toBe(interruption)
  expect(await sourcesWith(mark)).toHaveLength(1)
  await nix.collect([], {})
  expect(await sourcesWith(mark)).toEqual([])
})

test('inputs that another collector takes before they are kept are fetched again at the next try', async () => {
  const directory = await temporaryDirectory()
  const once = join(directory, 'once')
  await writeFile(once, '')
  const deleteFirst = `if [ "$1" = build ] && [ -e ${once} ]; then
    /bin/rm ${once}; for path; do :; done; $NIX store delete --offline "$path" >&2
  fi`
  const nix = await createTestNix({ environment: { PATH: await nixAfter(deleteFirst) } })
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake({ web: 'nixos "web" { }' }, { [unique()]: '' })
  await expect(nix.fetchInputs(source, {})).rejects.toMatchObject({
    kind: 'input_unavailable',
    canHeal: true,
  })
  expect((await evaluateAll(nix, source)).get('web')).toMatchObject({ status: 'succeeded' })
})

test('what had to be written is removed with all that it needs, except what something else needs', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const mark = unique()
  const imported = `import (builtins.path { path = ./content.nix; name = "${mark}-read"; })`
  const needed = `builtins.path { path = ./content.nix; name = "${mark}-needed"; }`
  const web = `nixos "${mark}" { content = "\${${imported}} \${${needed}} \${./.}"; }`
  const source = await commitFlake({ web, other: 'nixos "other" { }' }, { 'content.nix': '"x"', [mark]: '' })
  const results = await evaluateAll(nix, source)
  expect(results.get('web')).toMatchObject({ status: 'succeeded' })
  expect((await pathsWith(mark)).some((name) => name.endsWith('.drv'))).toBe(true)
  expect((await pathsWith(mark)).some((name) => name.endsWith('-needed'))).toBe(true)
  // Another evaluator has the same source: it stays.
  const other = await createTestNix()
  await other.fetchInputs(source, {})
  await nix.collect([], {})
  expect((await pathsWith(mark)).filter((name) => !name.endsWith('-read'))).toEqual([])
  expect(await sourcesWith(mark)).toHaveLength(1)
})

test('inputs stay, whatever collects garbage, while a commit that has them is kept', async () => {
  const root = await temporaryDirectory()
  const environment = { PATH: NIX_PATH, NIX_REMOTE: `local?root=${root}` }
  const nix = createNix({
    stateDirectory: await temporaryDirectory(),
    workers: 2,
    memoryBudgetBytes: 2 ** 30,
    timeoutMs: 60_000,
    environment,
  })
  const library = await createTestRepository()
  await library.commit({ content: 'of the input' })
  const flake = await createFlakeRepository()
  const files = {
    'flake.nix': `{
      inputs.library = { flake = false; url = "${library.url}"; };
      outputs = { self, library }@inputs: {
        nixosConfigurations = import ./configurations.nix { inherit self inputs; nixos = import ./nixos.nix; };
      };
    }`,
  }
  const configurations = {
    web: 'nixos "web" { content = builtins.readFile "${inputs.library}/content"; }',
  }
  await flake.commitFlake(configurations, files)
  const lock = ['--extra-experimental-features', 'nix-command flakes', 'flake', 'lock', flake.path]
  await promisify(execFile)('nix', lock)
  await flake.commit({})
  await evaluateAll(nix, await flake.source())
  const second = await flake.commitFlake(configurations, { ...files, README: 'changed' })
  const fetched = await nix.fetchInputs(second, {})
  const command = ['--extra-experimental-features', 'nix-command', 'store', 'gc']
  await promisify(execFile)('nix', command, { env: environment })
  await rm(library.path, { recursive: true })
  expect((await evaluateFetched(nix, fetched)).get('web')).toMatchObject({ status: 'succeeded' })
})
