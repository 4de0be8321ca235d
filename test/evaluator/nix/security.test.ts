import { execFile } from 'node:child_process'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { findPrograms } from '../../../src/evaluator/nix/programs.ts'
import { createFlakeRepository } from '../../support/flake-repository.ts'
import { createSilentServer } from '../../support/silent-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { createTestNix, evaluateAll, evaluateFetched, failureOf, NIX_PATH } from '../../support/test-nix.ts'

const SHA256 = `sha256-${'A'.repeat(43)}=`
const REV = '0123456789012345678901234567890123456789'

/** Each a value that would hold what it read. */
const FILES = [
  'builtins.readFile /etc/shadow',
  'builtins.readFile "/etc/shadow"',
  'builtins.readFile (toString ./. + "/../../../etc/shadow")',
  'builtins.readFile /proc/self/environ',
  'builtins.readFile /proc/1/environ',
  'builtins.readFile /proc/self/cmdline',
  'builtins.readFile /nix/var/nix/db/db.sqlite',
  'toString (builtins.attrNames (builtins.readDir /root))',
  'builtins.hashFile "sha256" /etc/shadow',
  'import /etc/shadow',
  'builtins.scopedImport { } /etc/shadow',
  '"${/etc/shadow}"',
  '"${builtins.path { path = /etc/shadow; }}"',
  '"${builtins.filterSource (path: type: true) /etc/ssl}"',
  'builtins.readFile <nixpkgs>',
  'builtins.readFile "${builtins.fetchTree "path:/etc/ssl"}/openssl.cnf"',
  `builtins.readFile "\${builtins.fetchTree { type = "path"; path = "/etc"; narHash = "${SHA256}"; }}/shadow"`,
  `builtins.readFile "\${builtins.getFlake "path:/etc?narHash=${SHA256}"}/shadow"`,
  'builtins.readFile ./links/shadow',
  'builtins.readFile ./links/root/etc/shadow',
  'builtins.readFile "${./links}/shadow"',
  'toString (builtins.attrNames (builtins.readDir ./links/root/root))',
  'import ./links/shadow',
  'builtins.hashFile "sha256" ./links/relative',
]

test('nothing of the machine is read, also not through links of the repository', async () => {
  const nix = await createTestNix()
  const flake = await createFlakeRepository()
  await flake.commit({ 'links/README': '' })
  await symlink('/etc/shadow', join(flake.path, 'links/shadow'))
  await symlink('/', join(flake.path, 'links/root'))
  await symlink('../../../../../../../../etc/shadow', join(flake.path, 'links/relative'))
  const configurations = FILES.map((read) => [read, `nixos "thief" { content = ${read}; }`])
  const source = await flake.commitFlake({ ...Object.fromEntries(configurations), good: 'nixos "good" { }' })
  const results = await evaluateAll(nix, source)
  for (const read of FILES) {
    expect.soft(results.get(read), read).toMatchObject({ status: 'failed', cause: 'forbidden' })
  }
  expect(JSON.stringify([...results])).not.toMatch(/root:|daemon:|PATH=/)
  expect(results.get('good')).toMatchObject({ status: 'succeeded' })
})

test('flake.lock and flake.nix that link to files of the machine are not read', async () => {
  const nix = await createTestNix()
  const flake = await createFlakeRepository()
  await flake.commitFlake({})
  await symlink('/etc/shadow', join(flake.path, 'flake.lock'))
  await flake.commit({})
  await expect(nix.fetchInputs(await flake.source(), {})).rejects.toMatchObject({
    kind: 'lock_file',
    message: expect.stringContaining('flake.lock is a symlink'),
  })
  await flake.commit({ 'flake.lock': null, 'flake.nix': null })
  await symlink('/etc/shadow', join(flake.path, 'flake.nix'))
  await flake.commit({})
  const fetched = await nix.fetchInputs(await flake.source(), {})
  await expect(nix.listConfigurations(fetched, {})).rejects.toMatchObject({
    kind: 'flake_invalid',
    message: expect.not.stringMatching(/root:|daemon:/),
  })
})

test('an evaluation has none of our variables, nor the credentials of the step that fetches', async () => {
  const directory = await temporaryDirectory()
  const log = join(directory, 'environments')
  const { nix: program } = await findPrograms(NIX_PATH)
  const script = `#!/bin/sh\n/usr/bin/tr '\\0' '\\n' < /proc/self/environ >> ${log}\nexec ${program} "$@"\n`
  await writeFile(join(directory, 'nix'), script, { mode: 0o755 })
  const environment = {
    PATH: `${directory}:${NIX_PATH}`,
    CRYSTAL_FORGE__DATABASE__PASSWORD: 'canary-1',
    PGPASSWORD: 'canary-2',
    CREDENTIALS_DIRECTORY: '/canary-3',
  }
  const nix = await createTestNix({ environment })
  const { commitFlake } = await createFlakeRepository()
  const names = [...Object.keys(environment), 'HOME', 'CANARY', 'NIX_CONFIG']
  const source = await commitFlake(
    Object.fromEntries(
      names.map((name) => [
        name,
        `let value = builtins.getEnv "${name}"; in if value == "" then nixos "x" { } else throw value`,
      ]),
    ),
  )
  const flake = await nix.fetchInputs(source, { env: { CANARY: 'canary-4' } })
  expect(await readFile(log, 'utf8')).toContain('canary-4')
  await writeFile(log, '')
  const results = await evaluateFetched(nix, flake)
  expect(names.map((name) => results.get(name)?.status)).toEqual(names.map(() => 'succeeded'))
  expect(await readFile(log, 'utf8')).toMatch(/^HOME=/m)
  expect(await readFile(log, 'utf8')).not.toContain('canary')
})

const fetchesFrom = (place: string): string[] => [
  `builtins.fetchurl "http://${place}/a"`,
  `builtins.fetchurl { url = "http://${place}/a"; sha256 = "${SHA256}"; }`,
  `builtins.fetchTarball { url = "http://${place}/a.tar.gz"; sha256 = "${SHA256}"; }`,
  `builtins.fetchGit "http://${place}/a.git"`,
  `builtins.fetchGit { url = "http://${place}/a.git"; rev = "${REV}"; }`,
  `builtins.fetchGit { url = "ssh://${place}/a.git"; rev = "${REV}"; }`,
  `builtins.fetchGit { url = "git://${place}/a.git"; rev = "${REV}"; }`,
  `builtins.fetchGit { url = "ext::sh -c touch% /tmp/crystal-forge-canary"; rev = "${REV}"; }`,
  `builtins.fetchMercurial { url = "http://${place}/a"; rev = "${REV}"; }`,
  `builtins.fetchTree { type = "tarball"; url = "http://${place}/a.tar.gz"; narHash = "${SHA256}"; }`,
  `builtins.fetchTree { type = "git"; url = "http://${place}/a.git"; rev = "${REV}"; }`,
  `builtins.fetchTree { type = "github"; owner = "a"; repo = "b"; host = "${place}"; rev = "${REV}"; }`,
  `builtins.getFlake "git+http://${place}/a.git?rev=${REV}"`,
  `builtins.getFlake "git+ssh://${place}/a.git?rev=${REV}"`,
  `builtins.getFlake "hg+http://${place}/a?rev=${REV}"`,
  `builtins.getFlake "http://${place}/a.tar.gz?narHash=${SHA256}"`,
  `builtins.getFlake "github:a/b/${REV}?host=${place.replace(/:.*/, '')}"`,
  `builtins.getFlake "gitlab:a/b/${REV}?host=${place.replace(/:.*/, '')}"`,
]

test('an evaluation asks nobody for anything, and fails at what it wants to fetch', async () => {
  const nix = await createTestNix()
  const server = await createSilentServer()
  const { commitFlake } = await createFlakeRepository()
  const places = [`127.0.0.1:${server.port}`, `localhost:${server.port}`, '169.254.169.254']
  const fetches = places.flatMap(fetchesFrom)
  const source = await commitFlake(
    Object.fromEntries(fetches.map((fetch) => [fetch, `nixos "x" { content = "\${${fetch}}"; }`])),
  )
  const results = await evaluateAll(nix, source)
  for (const fetch of fetches) {
    expect.soft(results.get(fetch), fetch).toMatchObject({ status: 'failed', cause: 'forbidden' })
  }
  expect(server.connections()).toBe(0)
}, 120_000)

test('what runs programs is not there', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const results = await evaluateAll(
    nix,
    await commitFlake({
      exec: 'builtins.exec [ "/bin/sh" "-c" "id" ]',
      native: 'builtins.importNative ./x "y"',
    }),
  )
  expect(failureOf(results, 'exec').cause).toBe('missing_attribute')
  expect(failureOf(results, 'native').cause).toBe('missing_attribute')
})

const IMPORT = `import (derivation {
  name = "import-from-derivation"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out" ];
})`

test('nothing is built for an evaluation, whatever the flake sets in its nixConfig', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake(
    {
      import: IMPORT,
      read: `builtins.readFile (derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; })`,
      download: `builtins.readFile (derivation {
        name = "x"; system = "builtin"; builder = "builtin:fetchurl"; url = "http://169.254.169.254/"; outputHash = "${SHA256}";
      })`,
      good: 'nixos "good" { }',
    },
    {
      'flake.nix': `{
        nixConfig.allow-import-from-derivation = true;
        nixConfig.restrict-eval = false;
        nixConfig.pure-eval = false;
        nixConfig.plugin-files = [ "/nonexistent.so" ];
        nixConfig.allow-unsafe-native-code-during-evaluation = true;
        nixConfig.post-build-hook = "/bin/sh";
        nixConfig.extra-substituters = [ "http://169.254.169.254" ];
        outputs = { self }@inputs: {
          nixosConfigurations = import ./configurations.nix { inherit self inputs; nixos = import ./nixos.nix; };
        };
      }`,
    },
  )
  const results = await evaluateAll(nix, source)
  for (const name of ['import', 'read', 'download']) {
    expect.soft(failureOf(results, name), name).toMatchObject({ cause: 'import_from_derivation' })
  }
  expect(results.get('good')).toMatchObject({ status: 'succeeded' })
})

test('a flake that is allowed it imports from derivations', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const directory = await temporaryDirectory()
  // Its output is there already: nothing has to be built, which needs build users.
  await writeFile(join(directory, 'imported'), '"from a derivation"')
  const options = { env: { PATH: NIX_PATH, HOME: directory } }
  const nixCommand = ['--extra-experimental-features', 'nix-command']
  const run = (args: string[]) => promisify(execFile)('nix', [...nixCommand, ...args], options)
  const { stdout: path } = await run(['store', 'add-file', join(directory, 'imported')])
  const { stdout: hash } = await run(['hash', 'file', join(directory, 'imported')])
  const source = await commitFlake({
    web: `nixos "web" { content = import (derivation {
      name = "imported"; system = "x86_64-linux"; builder = "/bin/sh";
      outputHash = "${hash.trim()}"; outputHashMode = "flat";
    }); }`,
  })
  const refused = await evaluateAll(nix, source)
  expect(failureOf(refused, 'web').cause).toBe('import_from_derivation')
  const allowed = await evaluateAll(nix, { ...source, allowImportFromDerivation: true })
  expect(allowed.get('web')).toMatchObject({ status: 'succeeded' })
  await nix.collect([], {})
  await run(['store', 'delete', path.trim()])
})

test('a file that the evaluation itself put into the store can be read', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const web = 'nixos "web" { content = import (builtins.path { path = ./content.nix; name = "other"; }); }'
  const results = await evaluateAll(nix, await commitFlake({ web }, { 'content.nix': '"z"' }))
  expect(results.get('web')).toMatchObject({ status: 'succeeded' })
})

const NAMES = [
  '--option',
  '-h',
  '--expr=1',
  'a.b',
  'a b',
  'a"b',
  "a'b",
  'a\\b',
  '${builtins.abort "spliced"}',
  '$(touch /tmp/crystal-forge-canary)',
  '`id`',
  '"; builtins.abort "spliced',
  '../../etc',
  '/etc/shadow',
  'new\nline',
  'tab\tulator',
  'ünïcödé-ペンギン-🐧',
  '',
  ' ',
  'a#b',
  'a^b',
  'outPath',
  'drvPath',
  'type',
  '__functor',
  'recurseForDerivations',
  'null',
  'x'.repeat(10_000),
]

test('a configuration may have any name', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const source = await commitFlake(Object.fromEntries(NAMES.map((name) => [name, 'nixos "x" { }'])))
  const results = await evaluateAll(nix, source)
  expect([...results.keys()].toSorted()).toEqual(NAMES.toSorted())
  for (const name of NAMES) expect.soft(results.get(name), name).toMatchObject({ status: 'succeeded' })
})

test('facts that are no short plain text are left out', async () => {
  const nix = await createTestNix()
  const { commitFlake } = await createFlakeRepository()
  const escape = String.raw`(builtins.fromJSON "\"\\u001b\"")`
  const results = await evaluateAll(
    nix,
    await commitFlake({
      coloured: `nixos "x" { release = "\${${escape}}[31m"; }`,
      long: 'nixos "x" { release = builtins.concatStringsSep "" (builtins.genList toString 1000); }',
    }),
  )
  for (const name of ['coloured', 'long']) {
    expect(results.get(name)).toMatchObject({ status: 'succeeded', stateVersion: null })
  }
})
