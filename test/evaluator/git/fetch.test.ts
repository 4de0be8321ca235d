import { execFile, execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startGitHttpServer } from '../../support/git-http-server.ts'
import { createTestRepository, importCommits } from '../../support/git-repository.ts'
import { createTestMirror } from '../../support/mirror.ts'

async function gitIn(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [`--git-dir=${directory}`, ...args])
  return stdout.trim()
}

test("without a branch the remote's HEAD says which one is followed", async () => {
  const repository = await createTestRepository()
  await repository.commit({ a: '1' })
  await repository.git('switch', '--quiet', '--create', 'stable')
  const head = await repository.commit({ a: '2' })
  const mirror = await createTestMirror(repository.url)
  expect(await mirror.fetch(null)).toEqual({ branch: 'stable', head })
})

test('a branch is followed by its name, also one whose name another one ends with', async () => {
  const repository = await createTestRepository()
  const main = await repository.commit({ a: '1' })
  await repository.git('switch', '--quiet', '--create', 'x/refs/heads/main')
  const other = await repository.commit({ a: '2' })
  const mirror = await createTestMirror(repository.url)
  expect(await mirror.fetch('main')).toEqual({ branch: 'main', head: main })
  expect(await mirror.fetch('x/refs/heads/main')).toEqual({ branch: 'x/refs/heads/main', head: other })
})

test('a mirror is bare, holds the history, and names what was fetched', async () => {
  const repository = await createTestRepository()
  await repository.commit({ 'flake.nix': '{ }' })
  const head = await repository.commit({ 'flake.nix': '{ outputs = _: { }; }' })
  const { directory, fetch } = await createTestMirror(repository.url)
  await fetch(null)
  expect(await gitIn(directory, 'rev-parse', '--is-bare-repository')).toBe('true')
  expect(await gitIn(directory, 'for-each-ref', '--format=%(refname)')).toBe(`refs/crystal-forge/${head}`)
  expect(await gitIn(directory, 'rev-list', '--count', head)).toBe('2')
  expect(await gitIn(directory, 'show', `${head}:flake.nix`)).toBe('{ outputs = _: { }; }')
})

test('only what is new travels', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 5000)
  const server = await startGitHttpServer({ root: dirname(repository.path) })
  const mirror = await createTestMirror(`${server.url}/repository`)
  const first = await mirror.fetch(null)
  expect(await mirror.countFirstParents(first.head)).toBe(5000)
  const sentFirst = server.sentBytes()

  await repository.git('reset', '--quiet', '--hard')
  const head = await repository.commit({ new: 'x' })
  expect(await mirror.fetch(null)).toEqual({ branch: 'main', head })
  expect(server.sentBytes() - sentFirst).toBeLessThan(sentFirst / 100)

  const sentSecond = server.sentBytes()
  expect(await mirror.fetch(null)).toEqual({ branch: 'main', head })
  expect(server.sentBytes() - sentSecond).toBeLessThan(2000)
})

test('after a restart the mirror is used as it is', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 500)
  const server = await startGitHttpServer({ root: dirname(repository.path) })
  const mirror = await createTestMirror(`${server.url}/repository`)
  const { head } = await mirror.fetch(null)
  const sent = server.sentBytes()
  expect(await mirror.again().fetch(null)).toEqual({ branch: 'main', head })
  expect(server.sentBytes() - sent).toBeLessThan(2000)
})

test('a force-push moves the head, and what it left is kept', async () => {
  const repository = await createTestRepository()
  const root = await repository.commit({ a: '1' })
  const left = await repository.commit({ a: '2' })
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  await repository.git('reset', '--quiet', '--hard', root)
  const head = await repository.commit({ a: '3' })
  await repository.git('reflog', 'expire', '--expire=now', '--all')
  await repository.git('gc', '--quiet', '--prune=now')
  expect(await mirror.fetch(null)).toEqual({ branch: 'main', head })
  const places = await mirror.placesOf([left, root], head)
  expect(places.get(left)).toBeNull()
  expect(places.get(root)).toEqual({ position: 0, mainline: true })
  await gitIn(mirror.directory, 'gc', '--quiet', '--prune=now')
  expect(await mirror.countFirstParents(left)).toBe(2)
})

test('a history that was replaced as a whole is fetched', async () => {
  const repository = await createTestRepository()
  await repository.commit({ a: '1' })
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  await repository.git('switch', '--quiet', '--orphan', 'new')
  const head = await repository.commit({ b: '1' })
  await repository.git('branch', '--force', 'main', 'new')
  expect(await mirror.fetch('main')).toEqual({ branch: 'main', head })
  expect(await mirror.countFirstParents(head)).toBe(1)
})

test('a deleted branch is told from an empty repository', async () => {
  const repository = await createTestRepository()
  const mirror = await createTestMirror(repository.url)
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'empty_repository', canHeal: false })
  await expect(mirror.fetch('main')).rejects.toMatchObject({ kind: 'empty_repository' })
  await repository.commit({ a: '1' })
  await repository.git('branch', 'next')
  await mirror.fetch('next')
  await repository.git('branch', '--delete', '--force', 'next')
  await expect(mirror.fetch('next')).rejects.toMatchObject({ kind: 'no_branch', canHeal: false })
  await repository.git('switch', '--quiet', '--detach')
  await expect(mirror.fetch(null)).rejects.toThrow('configure which one to follow')
  await repository.git('symbolic-ref', 'HEAD', 'refs/heads/gone')
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'no_branch' })
})

test('a branch that moves while it is fetched is asked for again later', async () => {
  const repository = await createTestRepository()
  const root = await repository.commit({ a: '1' })
  await repository.commit({ a: '2' })
  const server = await startGitHttpServer({ root: dirname(repository.path) })
  const mirror = await createTestMirror(`${server.url}/repository`)
  let asked = 0
  server.answerWith((request) => {
    // The first one asks for the head, the second one fetches.
    if (request.url?.startsWith('/repository/info/refs') && ++asked === 2)
      execFileSync('git', ['update-ref', 'refs/heads/main', root], { cwd: repository.path })
    return false
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'moved', canHeal: true })
  expect((await mirror.fetch(null)).head).toBe(root)
})

test('a shallow repository is followed as far as it goes', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 20)
  const shallow = await createTestRepository()
  await shallow.git(
    'fetch',
    '--quiet',
    '--depth=5',
    `file://${repository.path}`,
    'main:main',
    '--update-head-ok',
  )
  await shallow.git('reset', '--quiet', '--hard', 'main')
  const mirror = await createTestMirror(shallow.url)
  const { head } = await mirror.fetch(null)
  expect(await mirror.countFirstParents(head)).toBe(5)
  const next = await shallow.commit({ b: '1' })
  expect((await mirror.fetch(null)).head).toBe(next)
  expect(await mirror.countFirstParents(next)).toBe(6)
  await shallow.git('fetch', '--quiet', '--unshallow', `file://${repository.path}`, 'main')
  const last = await shallow.commit({ b: '2' })
  expect((await mirror.again().fetch(null)).head).toBe(last)
  expect((await mirror.firstParents(last, 3)).map(({ subject }) => subject)).toEqual([
    'change',
    'change',
    'commit 20',
  ])
})

test('submodules are left to Nix', async () => {
  const repository = await createTestRepository()
  const submodule = await createTestRepository()
  const pinned = await submodule.commit({ a: '1' })
  await repository.commit({
    '.gitmodules': `[submodule "s"]\n\tpath = s\n\turl = http://127.0.0.1:1/unreachable\n\tfetchRecurseSubmodules = yes\n`,
  })
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${pinned},s`)
  await repository.git('commit', '--quiet', '--message', 'submodule')
  const head = await repository.git('rev-parse', 'HEAD')
  const mirror = await createTestMirror(`${repository.url}?submodules=1`)
  expect(await mirror.fetch(null)).toEqual({ branch: 'main', head })
  expect(await mirror.countFirstParents(head)).toBe(2)
})

test('a repository with SHA-256 names is followed, also where one with SHA-1 names was', async () => {
  const repository = await createTestRepository('sha256')
  const first = await repository.commit({ a: '1' })
  expect(first).toHaveLength(64)
  const server = await startGitHttpServer({ root: dirname(repository.path) })
  const mirror = await createTestMirror(`${server.url}/repository`)
  expect((await mirror.fetch(null)).head).toBe(first)
  const second = await repository.commit({ a: '2' })
  expect((await mirror.fetch(null)).head).toBe(second)
  expect(await mirror.placesOf([first], second)).toEqual(new Map([[first, { position: 0, mainline: true }]]))

  const old = await createTestRepository()
  const oldHead = await old.commit({ a: '1' })
  server.answerWith(null)
  await promisify(execFile)('mv', [repository.path, `${repository.path}.sha256`])
  await promisify(execFile)('mv', [old.path, repository.path])
  expect((await mirror.fetch(null)).head).toBe(oldHead)
  expect(await mirror.countFirstParents(oldHead)).toBe(1)
})

test('commits that are kept survive the branch, and are gone when nothing keeps them', async () => {
  const repository = await createTestRepository()
  const root = await repository.commit({ a: '1' })
  const head = await repository.commit({ a: '2' })
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  expect(await mirror.keep(root)).toBe(`refs/crystal-forge/${root}`)
  expect(await mirror.keep(root)).toBe(`refs/crystal-forge/${root}`)
  await gitIn(mirror.directory, 'update-ref', '-d', `refs/crystal-forge/${head}`)
  expect(await gitIn(mirror.directory, 'for-each-ref', '--format=%(refname)')).toBe(
    `refs/crystal-forge/${root}`,
  )
  await gitIn(mirror.directory, 'gc', '--quiet', '--prune=now')
  await expect(mirror.keep(head)).rejects.toMatchObject({ kind: 'unknown_commit', canHeal: false })
  expect((await mirror.fetch(null)).head).toBe(head)
})

test('two that use one mirror at a time both have what they asked for', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 200)
  await repository.git('reset', '--quiet', '--hard')
  const mirror = await createTestMirror(repository.url)
  const first = await repository.git('rev-parse', 'HEAD')
  for (const each of await Promise.all(
    [mirror, mirror.again(), mirror.again()].map((one) => one.fetch(null)),
  ))
    expect(each.head).toBe(first)
  const second = await repository.commit({ a: '2' })
  for (const each of await Promise.all(
    [mirror, mirror.again(), mirror.again()].map((one) => one.fetch(null)),
  ))
    expect(each.head).toBe(second)
  expect(await mirror.countFirstParents(second)).toBe(201)
})
