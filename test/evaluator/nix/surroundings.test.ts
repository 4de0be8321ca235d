import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findPrograms } from '../../../src/evaluator/nix/programs.ts'
import { createFlakeRepository } from '../../support/flake-repository.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { createTestNix, evaluateAll, NIX_PATH } from '../../support/test-nix.ts'
import { createNix, type Nix } from '../../../src/evaluator/nix/nix.ts'

/** Nothing comes into the store. */
const unusable = (environment: Record<string, string>, stateDirectory: string): Nix =>
  createNix({ stateDirectory, workers: 2, memoryBudgetBytes: 2 ** 30, timeoutMs: 60_000, environment })

const web = 'nixos "web" { }'

test('without a nix on PATH the error says what is missing; with one there it works, without a restart', async () => {
  const directory = await temporaryDirectory()
  const nix = await createTestNix({ environment: { PATH: directory } })
  await expect(nix.version()).rejects.toMatchObject({
    kind: 'nix_missing',
    canHeal: true,
    message: expect.stringContaining(
      `there is no nix, no git, no prlimit, no setpriv on PATH (${directory})`,
    ),
  })
  const programs = await findPrograms(NIX_PATH)
  for (const [name, path] of Object.entries(programs)) await symlink(path, join(directory, name))
  expect(await nix.version()).toMatch(/^nix /)
})

test('a nix that cannot be started is an error that says so', async () => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'nix'), '#!/nonexistent/interpreter\n', { mode: 0o755 })
  const nix = unusable({ PATH: `${directory}:${NIX_PATH}` }, await temporaryDirectory())
  await expect(nix.version()).rejects.toMatchObject({ kind: 'nix_missing', canHeal: true })
})

test('an absent daemon is an error that can heal, in every step', async () => {
  const stateDirectory = await temporaryDirectory()
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake({ web })
  const flake = await (await createTestNix()).fetchInputs(source, {})
  const socket = join(stateDirectory, 'no-socket')
  const nix = unusable(
    { PATH: NIX_PATH, NIX_REMOTE: 'daemon', NIX_DAEMON_SOCKET_PATH: socket },
    stateDirectory,
  )
  const away = { kind: 'store_unavailable', canHeal: true, message: expect.stringContaining(socket) }
  await expect(nix.fetchInputs(source, {})).rejects.toMatchObject(away)
  await expect(nix.listConfigurations(flake, {})).rejects.toMatchObject(away)
  await expect(nix.evaluate(flake, ['web'], { onResult: () => {} })).rejects.toMatchObject(away)
})

test('a state directory that cannot be made is an error that names it', async () => {
  const file = join(await temporaryDirectory(), 'file')
  await writeFile(file, '')
  const nix = unusable({ PATH: NIX_PATH }, join(file, 'state'))
  await expect(nix.version()).rejects.toMatchObject({
    kind: 'state_directory',
    canHeal: true,
    message: expect.stringContaining(join(file, 'state')),
  })
})

test('a mirror that is gone is an error that can heal', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake({ web })
  await rm(source.mirror, { recursive: true })
  await expect(nix.fetchInputs(source, {})).rejects.toMatchObject({
    kind: 'input_unavailable',
    canHeal: true,
  })
})

test.each([
  ['no flake.nix', { 'flake.nix': null, README: '' }, 'flake_invalid'],
  ['a flake.nix that does not parse', { 'flake.nix': '{' }, 'flake_invalid'],
  [
    'inputs that are no literals',
    { 'flake.nix': '{ inputs.x.url = "a" + "b"; outputs = _: { }; }' },
    'flake_invalid',
  ],
  [
    'an input that flake.lock does not have',
    { 'flake.nix': '{ inputs.x.url = "path:/etc/ssl"; outputs = _: { }; }' },
    'lock_file',
  ],
  ['a flake.lock that is none', { 'flake.lock': '[]' }, 'lock_file'],
  ['a flake.lock that is no JSON', { 'flake.lock': '{' }, 'lock_file'],
] as const)('a flake with %s is an error of its own', async (_, files, kind) => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  await commitFlake({ web })
  const source = await commitFlake({ web }, files)
  const list = nix.fetchInputs(source, {}).then((flake) => nix.listConfigurations(flake, {}))
  await expect(list).rejects.toMatchObject({ kind, canHeal: false })
})

test('settings and variables of the machine have no part in an evaluation', async () => {
  const hostile = await temporaryDirectory()
  await writeFile(join(hostile, 'nix.conf'), 'this is no setting\nexperimental-features =\n')
  await writeFile(join(hostile, '.gitconfig'), '[broken')
  const environment = {
    PATH: NIX_PATH,
    HOME: hostile,
    XDG_CONFIG_HOME: hostile,
    NIX_CONF_DIR: hostile,
    NIX_USER_CONF_FILES: join(hostile, 'nix.conf'),
    NIX_CONFIG: 'experimental-features =',
    NIX_PATH: 'nixpkgs=/nonexistent',
    GIT_DIR: '/nonexistent',
    GIT_CONFIG_GLOBAL: join(hostile, '.gitconfig'),
  }
  const nix = await createTestNix({ environment })
  const { commitFlake } = await createFlakeRepository()
  expect((await evaluateAll(nix, await commitFlake({ web }))).get('web')).toMatchObject({
    status: 'succeeded',
  })
})
