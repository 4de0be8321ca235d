import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { refusalOf } from '../../../src/evaluator/nix/input-policy.ts'
import { createFlakeRepository, nixString } from '../../support/flake-repository.ts'
import { createTestRepository } from '../../support/git-repository.ts'
import { createSilentServer } from '../../support/silent-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { createTestNix, evaluateAll } from '../../support/test-nix.ts'

const SHA256 = `sha256-${'A'.repeat(43)}=`
const REV = '0123456789012345678901234567890123456789'

/** A flake with one input, as flake.lock has it. */
function withInput(locked: Record<string, unknown>): Record<string, string> {
  const { narHash: _, rev: __, lastModified: ___, ...original } = locked
  const attributes = Object.entries(original).map(([name, value]) => `${name} = ${nixString(String(value))};`)
  return {
    'flake.nix': `{
      inputs.x = { flake = false; ${attributes.join(' ')} };
      outputs = _: { nixosConfigurations = { }; };
    }`,
    'flake.lock': JSON.stringify({
      version: 7,
      root: 'root',
      nodes: { root: { inputs: { x: 'x' } }, x: { flake: false, locked, original } },
    }),
  }
}

const NEAR = ['127.0.0.1:PORT', '[::1]:PORT', 'user@localhost:PORT', '169.254.169.254']

/** Other ways to write the like. */
const NEARLY = [
  '2130706433',
  '0x7f.1',
  '0177.1',
  '[::ffff:127.0.0.1]',
  '[fe80::1]',
  '0.0.0.0',
  '0',
  'a.localhost',
  'LOCALHOST.',
]

const inputsFrom = (place: string) => [
  { type: 'tarball', url: `http://${place}/a.tar.gz`, narHash: SHA256 },
  { type: 'git', url: `ssh://git@${place}/a`, rev: REV },
  { type: 'github', owner: 'a', repo: 'b', host: place, rev: REV },
]

test('an address of the machine is known in every form that libcurl takes', () => {
  const source = {
    remote: 'https://git.example.org/a',
    mirror: '/a/b.git',
    ref: 'refs/heads/main',
    rev: REV,
    directory: null,
    submodules: false,
    allowImportFromDerivation: false,
  }
  for (const locked of NEARLY.flatMap(inputsFrom)) {
    expect.soft(refusalOf({ locked }, source), JSON.stringify(locked)).toMatch(/its host is this machine/)
  }
  for (const place of ['git.example.org', '10.0.0.1:8080', '[2001:db8::1]', 'localhost.example.org']) {
    for (const locked of inputsFrom(place)) expect.soft(refusalOf({ locked }, source), place).toBe(null)
  }
  const hosted = { type: 'gitlab', owner: 'a', repo: 'b', url: 'https://git.example.org/a', rev: REV }
  expect(refusalOf({ locked: { ...hosted, host: 'localhost' } }, source)).toMatch(/its host is this machine/)
  for (const host of ['git.example.org\\@localhost', 'git.example.org/@localhost', ''])
    expect.soft(refusalOf({ locked: { ...hosted, host } }, source), host).toMatch(/its host is not the name/)
})

test('inputs of the machine itself are refused before anything is asked for or copied', async () => {
  const nix = await createTestNix()
  const server = await createSilentServer()
  const { commitFlake, source: sourceOf } = await createFlakeRepository()
  const other = await createTestRepository()
  const rev = await other.commit({ secret: 'x' })
  const local = (await commitFlake({})).mirror
  const inputs: Record<string, unknown>[] = [
    { type: 'path', path: '/etc', narHash: SHA256 },
    { type: 'path', path: '/etc/shadow', narHash: SHA256 },
    { type: 'tarball', url: 'file:///etc/shadow', narHash: SHA256 },
    { type: 'file', url: 'file:///etc/shadow', narHash: SHA256 },
    { type: 'git', url: `file://${local}`, rev, ref: 'refs/heads/main' },
    { type: 'git', url: `file://${join(local, '..', 'x', '..', 'other.git')}`, rev },
    { type: 'git', url: `file://${join(local, '..')}/%6dirror.git`, rev },
    { type: 'indirect', id: 'nixpkgs' },
    ...NEAR.map((place) => place.replace('PORT', String(server.port))).flatMap(inputsFrom),
    { type: 'git', url: 'ext::sh -c id', rev: REV },
    { type: 'tarball', url: 'ftp://example.org/a.tar.gz', narHash: SHA256 },
  ]
  for (const input of inputs) {
    await commitFlake({}, withInput(input))
    const error: unknown = await nix.fetchInputs(await sourceOf(), {}).catch((reason: unknown) => reason)
    expect.soft(error, JSON.stringify(input)).toMatchObject({
      kind: 'input_refused',
      canHeal: false,
      message: expect.stringMatching(/^the input "x" of flake\.lock is not fetched: /),
    })
  }
  expect(server.connections()).toBe(0)
}, 120_000)

test('a repository of the machine is an input only of a flake that is on the machine too', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const other = await createTestRepository()
  const rev = await other.commit({ file: 'x' })
  const source = await commitFlake(
    {},
    withInput({ type: 'git', url: `file://${other.path}`, rev, ref: 'refs/heads/main' }),
  )
  const remote = 'https://git.example.org/fleet.git'
  await expect(nix.fetchInputs({ ...source, remote }, {})).rejects.toMatchObject({ kind: 'input_refused' })
  expect((await nix.fetchInputs(source, {})).inputs).toMatchObject([{ name: 'x', revision: rev }])
})

test('an address of the machine is asked when the flake itself is there', async () => {
  const nix = await createTestNix()
  const server = await createSilentServer()
  const { commitFlake } = await createFlakeRepository()
  const url = `http://localhost:${server.port}/a.tar.gz`
  const source = await commitFlake({}, withInput({ type: 'tarball', url, narHash: SHA256 }))
  const remote = 'https://localhost/fleet.git'
  await expect(nix.fetchInputs({ ...source, remote }, {})).rejects.toMatchObject({
    kind: 'input_unavailable',
    canHeal: true,
  })
  expect(server.connections()).toBeGreaterThan(0)
})

test('an input that is not locked is not fetched', async () => {
  const nix = await createTestNix()
  const server = await createSilentServer()
  const { commitFlake } = await createFlakeRepository()
  const url = `http://localhost:${server.port}/a.tar.gz`
  const remote = 'https://localhost/fleet.git'
  const unlocked = await commitFlake({}, withInput({ type: 'tarball', url }))
  await expect(nix.fetchInputs({ ...unlocked, remote }, {})).rejects.toMatchObject({
    kind: 'lock_file',
    canHeal: false,
  })
  const missing = await commitFlake({}, { ...withInput({ type: 'tarball', url }), 'flake.lock': null })
  const fetched = await nix.fetchInputs({ ...missing, remote }, {})
  expect(fetched.inputs).toEqual([])
  await expect(nix.listConfigurations(fetched, {})).rejects.toMatchObject({
    kind: 'lock_file',
    canHeal: false,
  })
  expect(server.connections()).toBe(0)
})

test('an input that is not what flake.lock says is an error that cannot heal', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const other = await createTestRepository()
  const rev = await other.commit({ file: 'x' })
  const locked = { type: 'git', url: `file://${other.path}`, rev, ref: 'refs/heads/main', narHash: SHA256 }
  await expect(nix.fetchInputs(await commitFlake({}, withInput(locked)), {})).rejects.toMatchObject({
    kind: 'input_mismatch',
    canHeal: false,
  })
})

test('what the step that fetches had as its home is not needed to evaluate, also with submodules', async () => {
  const nix = await createTestNix()
  const part = await createTestRepository()
  await part.commit({ 'default.nix': '"from the submodule"' })
  const flake = await createFlakeRepository()
  await flake.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part.path, 'part')
  const source = await flake.commitFlake({ web: 'nixos "web" { content = import ./part; }' })
  const HOME = await temporaryDirectory()
  await writeFile(join(HOME, '.gitconfig'), '[safe]\ndirectory = *\n[protocol "file"]\nallow = always\n')
  const results = await evaluateAll(nix, { ...source, submodules: true }, { env: { HOME } })
  expect(results.get('web')).toMatchObject({ status: 'succeeded' })
})
