import { randomBytes } from 'node:crypto'
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { startGitHttpServer, stopAfter } from '../../support/git-http-server.ts'
import { createTestRepository, importCommits, type TestRepository } from '../../support/git-repository.ts'
import { createTestMirror, type TestMirror } from '../../support/mirror.ts'
import { waitFor } from '../../support/wait.ts'

async function fetched(options: { timeoutMs?: number } = {}): Promise<{
  repository: TestRepository
  mirror: TestMirror
  head: string
}> {
  const repository = await createTestRepository()
  await importCommits(repository, 50)
  const mirror = await createTestMirror(repository.url, options)
  const { head } = await mirror.fetch(null)
  return { repository, mirror, head }
}

async function filesOf(directory: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => pattern.test(name)).map((name) => join(directory, name))
}

async function overwrite(path: string): Promise<void> {
  const { size } = await stat(path)
  await chmod(path, 0o644)
  await writeFile(path, Buffer.alloc(size, 'x'))
}

async function cut(path: string): Promise<void> {
  const { size } = await stat(path)
  await chmod(path, 0o644)
  await truncate(path, Math.floor(size / 2))
}

const each =
  (pattern: RegExp, damage: (path: string) => Promise<void>) =>
  async (directory: string): Promise<void> => {
    const paths = await filesOf(directory, pattern)
    expect(paths.length).toBeGreaterThan(0)
    for (const path of paths) await damage(path)
  }

test.each<[string, (directory: string) => Promise<void>]>([
  ['a pack that is cut', each(/\.pack$/, cut)],
  ['a pack that is empty', each(/\.pack$/, (path) => chmod(path, 0o644).then(() => truncate(path, 0)))],
  ['a pack that is overwritten', each(/\.pack$/, overwrite)],
  ['a pack that is gone', each(/\.pack$/, rm)],
  ['an index that is cut', each(/\.idx$/, cut)],
  ['an index that is gone', each(/\.idx$/, rm)],
  ['a ref that is empty', each(/refs\/crystal-forge\//, (path) => truncate(path, 0))],
  ['a ref that is no name', each(/refs\/crystal-forge\//, (path) => writeFile(path, 'x'))],
  [
    'a ref of another commit',
    each(/refs\/crystal-forge\//, (path) => writeFile(path, `${'1'.repeat(40)}\n`)),
  ],
  ['no HEAD', (directory) => rm(join(directory, 'HEAD'))],
  ['an empty HEAD', (directory) => truncate(join(directory, 'HEAD'), 0)],
  ['no configuration', (directory) => rm(join(directory, 'config'))],
  ['an empty configuration', (directory) => truncate(join(directory, 'config'), 0)],
  ['a malformed configuration', (directory) => writeFile(join(directory, 'config'), '[core\n')],
  ['no objects', (directory) => rm(join(directory, 'objects'), { recursive: true })],
  ['no refs', (directory) => rm(join(directory, 'refs'), { recursive: true })],
  ['nothing in it', (directory) => rm(directory, { recursive: true }).then(() => mkdir(directory))],
  ['a file instead', (directory) => rm(directory, { recursive: true }).then(() => writeFile(directory, ''))],
])('a mirror with %s is whole after the next fetch', async (_what, damage) => {
  const { repository, mirror, head } = await fetched()
  await damage(mirror.directory)
  expect((await mirror.again().fetch(null)).head).toBe(head)
  await repository.git('reset', '--quiet', '--hard')
  const next = await repository.commit({ a: '1' })
  expect((await mirror.again().fetch(null)).head).toBe(next)
  expect(await mirror.countFirstParents(next)).toBe(51)
  expect(await mirror.firstParents(head, 100)).toHaveLength(50)
  expect(await readdir(dirname(mirror.directory))).toEqual([basename(mirror.directory)])
})

const OBJECTS = { blob: 'HEAD:file', tree: 'HEAD^{tree}', commit: 'HEAD~7' }

test.each<[keyof typeof OBJECTS, string, (path: string) => Promise<void>]>([
  ['blob', 'gone', rm],
  ['tree', 'gone', rm],
  ['commit', 'gone', rm],
  ['blob', 'overwritten', overwrite],
  ['tree', 'overwritten', overwrite],
  ['commit', 'overwritten', overwrite],
  ['blob', 'cut', cut],
])('a %s that is %s is seen before Nix wants it', async (type, _how, damage) => {
  const { mirror, repository, head } = await fetched()
  const name = await repository.git('rev-parse', OBJECTS[type])
  await unpack(repository, mirror)
  await damage(join(mirror.directory, 'objects', name.slice(0, 2), name.slice(2)))
  expect((await mirror.again().fetch(null)).head).toBe(head)
  const object = await repository.git('cat-file', type, name)
  expect(await repository.git(`--git-dir=${mirror.directory}`, 'cat-file', type, name)).toBe(object)
})

/** Makes of a mirror's objects one file each. */
async function unpack(repository: TestRepository, { directory }: TestMirror): Promise<void> {
  const loose = join(dirname(directory), 'loose')
  await repository.git('init', '--quiet', '--bare', loose)
  await repository.git(
    `--git-dir=${loose}`,
    '-c',
    'fetch.unpackLimit=9999',
    'fetch',
    '--quiet',
    directory,
    'refs/*:refs/*',
  )
  await rm(join(directory, 'objects'), { recursive: true })
  await rename(join(loose, 'objects'), join(directory, 'objects'))
  await rm(loose, { recursive: true })
}

test('damage that a read sees is mended by the next fetch of the same process', async () => {
  const { mirror, head } = await fetched()
  await each(/\.pack$/, overwrite)(mirror.directory)
  await expect(mirror.firstParents(head, 10)).rejects.toMatchObject({ name: 'GitError' })
  await mirror.fetch(null)
  expect(await mirror.firstParents(head, 10)).toHaveLength(10)
})

async function leave(path: string, minutes: number): Promise<void> {
  const now = Date.now() / 1000
  await writeFile(path, '')
  await utimes(path, now, now - minutes * 60)
}

test('what killed processes have left is removed, and in no way of the next fetch', async () => {
  const { repository, mirror, head } = await fetched({ timeoutMs: 30 * 60_000 })
  await repository.git('reset', '--quiet', '--hard')
  const next = await repository.commit({ a: '1' })
  const { directory } = mirror
  await leave(join(directory, 'packed-refs.lock'), 2)
  await leave(join(directory, 'shallow.lock'), 2)
  await leave(join(directory, 'refs/crystal-forge', `${next}.lock`), 2)
  await leave(join(directory, 'objects/pack/tmp_pack_abcdef'), 31)
  await leave(join(directory, 'objects/pack/tmp_idx_abcdef'), 31)
  await leave(`${directory}.new-0123456789ab`, 31)
  await leave(`${directory}.old-0123456789ab`, 31)
  const young = join(directory, 'objects/pack/tmp_pack_123456')
  await leave(young, 1)
  expect((await mirror.fetch(null)).head).toBe(next)
  expect(await mirror.countFirstParents(head)).toBe(50)
  expect(await filesOf(dirname(directory), /\.lock$|tmp_|\.new-|\.old-/)).toEqual([young])
})

test('the lock of a process that works is waited for, and respected', async () => {
  const { repository, mirror } = await fetched()
  await repository.git('reset', '--quiet', '--hard')
  const next = await repository.commit({ a: '1' })
  await writeFile(join(mirror.directory, 'refs/crystal-forge', `${next}.lock`), '')
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'locked', canHeal: true })
})

test('a git that is killed in a transfer is in no way of the next one', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 5)
  const root = dirname(repository.path)
  const server = await startGitHttpServer({ root })
  const mirror = await createTestMirror(`${server.url}/repository`)
  await mirror.fetch(null)
  await repository.git('reset', '--quiet', '--hard')
  const head = await repository.commit({ large: randomBytes(1_000_000).toString('hex') })
  const stall = stopAfter(root, 300_000, 'stall')
  server.answerWith(
    (request, response) =>
      request.url?.startsWith('/repository/git-upload-pack') === true && stall(request, response),
  )
  const killed = Promise.allSettled([mirror.fetch(null)])
  const isReceiving = async (): Promise<boolean> => (await filesOf(mirror.directory, /tmp_pack_/)).length > 0
  await waitFor(isReceiving)
  process.kill(-(await groupOf(mirror.directory)), 'SIGKILL')
  expect(await killed).toMatchObject([{ reason: { kind: 'failed', canHeal: true } }])
  server.answerWith(null)
  expect((await mirror.again().fetch(null)).head).toBe(head)
})

/** The process group of the git that works on `directory`. */
async function groupOf(directory: string): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of processes) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(`git\0--git-dir=${directory}\0`)) return Number(pid)
  }
  throw new Error(`no git works on ${directory}`)
}

test('a damaged remote is told as such, and what was fetched before stays', async () => {
  const { repository, mirror, head } = await fetched()
  await repository.git('reset', '--quiet', '--hard')
  await repository.commit({ a: 'never seen before' })
  const blob = await repository.git('rev-parse', 'HEAD:a')
  await rm(join(repository.path, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  await expect(mirror.fetch(null)).rejects.toMatchObject({
    kind: expect.stringMatching(/remote_damaged|unreachable/),
  })
  expect(await mirror.countFirstParents(head)).toBe(50)
})
