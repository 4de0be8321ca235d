import { execFile } from 'node:child_process'
import { appendFile, chown, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createMirror } from '../../../src/evaluator/git/mirror.ts'
import { parseFlakeUrl } from '../../../src/fleet/flake-url.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { createTestRepository, writeObject } from '../../support/git-repository.ts'
import { createTestMirror, NO_CREDENTIALS } from '../../support/mirror.ts'
import { startSshServer } from '../../support/ssh-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** A directory in which hostile input tries to make a file, and a command that does. */
async function createCanary() {
  const directory = await temporaryDirectory()
  return { touch: `touch ${directory}/canary`, files: () => readdir(directory) }
}

test.each([
  '--upload-pack=TOUCH',
  '-x',
  '--exec=TOUCH',
  'a..b',
  'a b',
  'a\nb',
  'a\0b',
  '\u001b[31m',
  '../../heads/main',
  'refs/heads/../main',
  'main:refs/heads/other',
  '+main',
  'ma*n',
  'ma?n',
  '[m]ain',
  'main^{tree}',
  'main~1',
  '@{-1}',
  'HEAD',
  '.main',
  'main.lock',
  'main/',
  '/main',
  '',
  'x'.repeat(300),
])('a branch called %j is not asked for, or not there', async (name) => {
  const canary = await createCanary()
  const repository = await createTestRepository()
  await repository.commit({ a: '1' })
  const mirror = await createTestMirror(repository.url)
  await expect(mirror.fetch(name.replace('TOUCH', canary.touch))).rejects.toMatchObject({
    kind: 'no_branch',
    canHeal: false,
  })
  expect(await canary.files()).toEqual([])
})

test("a remote's HEAD that names a hostile branch is refused", async () => {
  const canary = await createCanary()
  const repository = await createTestRepository()
  const head = await repository.commit({ a: '1' })
  for (const name of ['-x', `--upload-pack=${canary.touch.replaceAll(' ', '$IFS')}`, '\u0085']) {
    await repository.git('update-ref', `refs/heads/${name}`, head)
    await writeFile(join(repository.path, '.git/HEAD'), `ref: refs/heads/${name}\n`)
    const mirror = await createTestMirror(repository.url)
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'no_branch', canHeal: false })
  }
  expect(await canary.files()).toEqual([])
})

test.each([
  'ext::sh -c "TOUCH"',
  'ext::TOUCH',
  'fd::0',
  '--upload-pack=TOUCH',
  '-oProxyCommand=TOUCH',
  'ssh://-oProxyCommand=TOUCH/x',
  'ssh://git@-oProxyCommand=TOUCH/x',
  'ssh://-oProxyCommand=TOUCH@127.0.0.1/x',
  'git+ssh://git@127.0.0.1:-oProxyCommand=TOUCH/x',
  'git@-oProxyCommand=TOUCH:x',
  'git@127.0.0.1:-oProxyCommand=TOUCH',
  'git@$(TOUCH):x',
  'git@127.0.0.1:$(TOUCH)',
  'ssh://git@127.0.0.1:1/`TOUCH`',
  'ssh://git@127.0.0.1:1/$(TOUCH)',
  'ssh://git@127.0.0.1:1/x;TOUCH;',
  'file:///tmp/$(TOUCH)',
  'file:///tmp/x;TOUCH',
  'file://evil.example.org/srv/x',
  'git+file:ext::TOUCH',
  '/tmp/`TOUCH`',
  '/tmp/--upload-pack=TOUCH',
  'git+https://127.0.0.1:1/--upload-pack=TOUCH',
  'https://127.0.0.1:1/x?ref=--upload-pack=TOUCH',
  'github:--upload-pack=TOUCH/x?host=127.0.0.1:1',
])('nothing is run for %s', async (text) => {
  const canary = await createCanary()
  for (const command of [
    canary.touch,
    canary.touch.replaceAll(' ', '%20'),
    canary.touch.replaceAll(' ', '$IFS'),
  ]) {
    const fetch = async () => (await createTestMirror(text.replace('TOUCH', command))).fetch(null)
    await expect(fetch()).rejects.toThrow(/must |cannot fetch/)
  }
  expect(await canary.files()).toEqual([])
})

test.each(['ext::TOUCH', '--upload-pack=TOUCH', 'git://127.0.0.1:1/x', 'ext::sh -c TOUCH', 'file:///etc'])(
  'Git refuses %s also when it gets that far',
  async (text) => {
    const canary = await createCanary()
    const url = parseFlakeUrl('https://git.example.org/x')
    const mirror = createMirror({
      directory: join(await temporaryDirectory(), 'mirror.git'),
      url: { ...url, remote: text.replace('TOUCH', canary.touch) },
      credentials: NO_CREDENTIALS,
      timeoutMs: 20_000,
    })
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'refused', canHeal: false })
    expect(await canary.files()).toEqual([])
  },
)

test('a path is one word to the shell of an SSH server', async () => {
  const canary = await createCanary()
  const server = await startSshServer()
  for (const path of [
    `$(${canary.touch})`,
    `x';${canary.touch};'`,
    `x\`${canary.touch}\``,
    '--strict',
    "-x'",
  ]) {
    const mirror = await createTestMirror(`${server.url}/${encodeURIComponent(path)}`, {
      credentials: { sshKey: new Secret(server.privateKey), knownHostsFile: server.knownHostsFile },
    })
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'not_found' })
  }
  expect(await canary.files()).toEqual([])
})

test('nothing of a local repository is run, whoever owns it', async () => {
  const canary = await createCanary()
  const repository = await createTestRepository()
  const head = await repository.commit({
    '.gitattributes': '* filter=x diff=x merge=x export-subst\n',
    '.gitmodules': `[submodule "-x"]\n\tpath = s\n\turl = ext::${canary.touch}\n\tupdate = !${canary.touch}\n`,
    'flake.nix': '$Format:%H$',
  })
  const keys = {
    core: ['sshCommand', 'fsmonitor', 'pager', 'askPass', 'gitProxy', 'alternateRefsCommand'],
    uploadpack: ['packObjectsHook'],
    'filter "x"': ['clean', 'smudge', 'process'],
    'diff "x"': ['textconv', 'command'],
    credential: ['helper'],
  }
  for (const [section, names] of Object.entries(keys)) {
    const lines = names.map((name) => `\t${name} = ${canary.touch}\n`).join('')
    await appendFile(join(repository.path, '.git/config'), `[${section}]\n${lines}`)
  }
  for (const name of ['post-checkout', 'pre-auto-gc', 'reference-transaction', 'post-index-change'])
    await writeFile(join(repository.path, '.git/hooks', name), `#!/bin/sh\n${canary.touch}\n`, {
      mode: 0o755,
    })
  await promisify(execFile)('chown', ['--recursive', '65534', dirname(repository.path)])
  const mirror = await createTestMirror(`${repository.url}?submodules=1`)
  expect((await mirror.fetch(null)).head).toBe(head)
  expect((await mirror.again().fetch(null)).head).toBe(head)
  expect(await mirror.firstParents(head, 1)).toHaveLength(1)
  expect(await canary.files()).toEqual([])
  await chown(dirname(repository.path), process.getuid?.() ?? 0, process.getgid?.() ?? 0)
})

test('what a local repository lacks is not fetched from where it says', async () => {
  const canary = await createCanary()
  const repository = await createTestRepository()
  await repository.commit({ a: 'only here' })
  const blob = await repository.git('rev-parse', 'HEAD:a')
  await rm(join(repository.path, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  await appendFile(
    join(repository.path, '.git/config'),
    `[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ext::${canary.touch}\n\tuploadpack = ${canary.touch};\n\tpromisor = true\n[protocol]\n\tallow = always\n`,
  )
  const mirror = await createTestMirror(repository.url)
  await expect(mirror.fetch(null)).rejects.toMatchObject({ name: 'GitError' })
  expect(await canary.files()).toEqual([])
})

test('files whose names lead elsewhere are never written', async () => {
  const repository = await createTestRepository()
  const blob = await writeObject(repository, 'blob', 'x')
  const names = ['../canary', '.git', '..', '/etc/canary', 'a\nb', '--x']
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]),
  )
  const tree = await writeObject(repository, 'tree', Buffer.concat(entries))
  const person = 'A <a@example.org> 1700000000 +0000'
  const head = await writeObject(
    repository,
    'commit',
    `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nx\n`,
  )
  await repository.git('update-ref', 'refs/heads/main', head)
  const mirror = await createTestMirror(repository.url)
  expect((await mirror.fetch(null)).head).toBe(head)
  expect(await readdir(dirname(mirror.directory))).toEqual(['mirror.git'])
  expect(await readdir(mirror.directory)).not.toContain('canary')
})
