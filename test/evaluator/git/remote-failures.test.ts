import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { hang, redirectTo, startGitHttpServer, status, stopAfter } from '../../support/git-http-server.ts'
import { createTestRepository, importCommits } from '../../support/git-repository.ts'
import { createTestMirror } from '../../support/mirror.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { waitFor } from '../../support/wait.ts'

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('a remote that is away can come back', async () => {
  for (const scheme of ['http', 'https', 'ssh']) {
    const mirror = await createTestMirror(`${scheme}://127.0.0.1:${await closedPort()}/repository`)
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'unreachable', canHeal: true })
  }
})

test('a host without an address can come to have one', async () => {
  const mirror = await createTestMirror('https://nowhere.invalid/repository')
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'unreachable', canHeal: true })
})

test('the error names the repository, the cause, and what Git said', async () => {
  const port = await closedPort()
  const mirror = await createTestMirror(`http://127.0.0.1:${port}/ops/repository.git`)
  await expect(mirror.fetch(null)).rejects.toThrow(
    new RegExp(
      `^cannot fetch 127\\.0\\.0\\.1:${port}/ops/repository: the server cannot be reached \\(fatal: unable to access`,
    ),
  )
})

test('what is not there is told apart from what is away', async () => {
  const root = await temporaryDirectory()
  const server = await startGitHttpServer({ root })
  for (const url of [`${server.url}/none`, `${root}/none`]) {
    const mirror = await createTestMirror(url)
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'not_found', canHeal: false })
  }
})

test.each([
  [401, 'unauthorized', false],
  [403, 'unauthorized', false],
  [404, 'not_found', false],
  [429, 'unreachable', true],
  [500, 'unreachable', true],
  [503, 'unreachable', true],
])('HTTP status %i is %s', async (code, kind, canHeal) => {
  const server = await startGitHttpServer({ root: await temporaryDirectory() })
  server.answerWith(status(code))
  const mirror = await createTestMirror(`${server.url}/repository`)
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind, canHeal })
})

test('an answer that is no Git is not taken for a damaged mirror', async () => {
  const repository = await createTestRepository()
  const head = await repository.commit({ a: '1' })
  const server = await startGitHttpServer({ root: dirname(repository.path) })
  const mirror = await createTestMirror(`${server.url}/repository`)
  await mirror.fetch(null)
  server.answerWith((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
    return true
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: expect.not.stringMatching(/damaged/) })
  expect(await mirror.countFirstParents(head)).toBe(1)
})

test('a server that says nothing is given up after the time limit', async () => {
  const server = await startGitHttpServer({ root: await temporaryDirectory() })
  server.answerWith(hang)
  const mirror = await createTestMirror(`${server.url}/repository`, { timeoutMs: 300 })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'timeout', canHeal: true })
})

test('a fetch that is cancelled ends at once', async () => {
  const server = await startGitHttpServer({ root: await temporaryDirectory() })
  server.answerWith(hang)
  const mirror = await createTestMirror(`${server.url}/repository`)
  const cancelled = new AbortController()
  const fetch = Promise.allSettled([mirror.fetch(null, cancelled.signal)])
  await waitFor(() => server.requests.length > 0)
  cancelled.abort()
  expect(await fetch).toMatchObject([{ reason: { kind: 'aborted', canHeal: true } }])
})

test('a transfer that breaks off leaves what was there, and the next one is whole', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 100)
  const root = dirname(repository.path)
  const server = await startGitHttpServer({ root })
  const mirror = await createTestMirror(`${server.url}/repository`)
  const before = await mirror.fetch(null)
  await repository.git('reset', '--quiet', '--hard')
  const head = await repository.commit({ large: Array.from({ length: 50_000 }, Math.random).join('') })
  let posts = 0
  const cut = stopAfter(root, 100_000, 'close')
  // The first POST asks for the refs.
  server.answerWith((request, response) => request.method === 'POST' && ++posts > 2 && cut(request, response))
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'unreachable', canHeal: true })
  expect(await mirror.countFirstParents(before.head)).toBe(100)
  server.answerWith(null)
  expect((await mirror.fetch(null)).head).toBe(head)
  expect(await mirror.countFirstParents(head)).toBe(101)
})

test('a repository that moved is followed within its protocol', async () => {
  const repository = await createTestRepository()
  const head = await repository.commit({ a: '1' })
  const target = await startGitHttpServer({ root: dirname(repository.path) })
  const server = await startGitHttpServer({ root: await temporaryDirectory() })
  server.answerWith(redirectTo(target.url))
  expect(await (await createTestMirror(`${server.url}/repository`)).fetch(null)).toEqual({
    branch: 'main',
    head,
  })
})

test.each([
  'file:///etc',
  'ftp://127.0.0.1:1',
  'ext::sh -c true',
  'git://127.0.0.1:1',
  'ssh://127.0.0.1:1',
  'dict://127.0.0.1:1',
])('a redirection to %s is not followed', async (target) => {
  const server = await startGitHttpServer({ root: await temporaryDirectory() })
  server.answerWith(redirectTo(target))
  const mirror = await createTestMirror(`${server.url}/repository`)
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'refused', canHeal: false })
})
