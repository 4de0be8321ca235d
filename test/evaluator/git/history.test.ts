import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import {
  createTestRepository,
  importCommits,
  writeObject,
  type TestRepository,
} from '../../support/git-repository.ts'
import { createTestMirror } from '../../support/mirror.ts'
import { createSshKey } from '../../support/ssh-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** main: a, b, merge of topic (x, y, which has merged b), c. */
async function withMerge(repository: TestRepository) {
  const a = await repository.commit({ a: '1' })
  await repository.git('switch', '--quiet', '--create', 'topic')
  const x = await repository.commit({ x: '1' })
  await repository.git('switch', '--quiet', 'main')
  const b = await repository.commit({ a: '2' })
  await repository.git('switch', '--quiet', 'topic')
  const y = await repository.commit({ x: '2' })
  await repository.git('switch', '--quiet', 'main')
  await repository.git('merge', '--quiet', '--no-ff', '--message', 'merge', 'topic')
  const merge = await repository.git('rev-parse', 'HEAD')
  const c = await repository.commit({ a: '3' })
  return { a, x, b, y, merge, c }
}

test('the history is that of first parents, newest first', async () => {
  const repository = await createTestRepository()
  const { a, b, merge, c } = await withMerge(repository)
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  expect((await mirror.firstParents(c, 10)).map(({ sha }) => sha)).toEqual([c, merge, b, a])
  expect((await mirror.firstParents(c, 2)).map(({ sha }) => sha)).toEqual([c, merge])
  expect(await mirror.countFirstParents(c)).toBe(4)
})

test('the position of a commit is that of the one which brought it in', async () => {
  const repository = await createTestRepository()
  const { a, x, b, y, merge, c } = await withMerge(repository)
  const unknown = '1'.repeat(40)
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  const shas = [a, x, b, y, merge, c, unknown]
  expect([...(await mirror.placesOf(shas, c))]).toEqual([
    [a, { position: 0, mainline: true }],
    [x, { position: 2, mainline: false }],
    [b, { position: 1, mainline: true }],
    [y, { position: 2, mainline: false }],
    [merge, { position: 2, mainline: true }],
    [c, { position: 3, mainline: true }],
    [unknown, null],
  ])
  expect([...(await mirror.placesOf([a, c, x], b))]).toEqual([
    [a, { position: 0, mainline: true }],
    [c, null],
    [x, null],
  ])
})

test('a history of thousands of commits is read', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 5000)
  const mirror = await createTestMirror(repository.url)
  const { head } = await mirror.fetch(null)
  expect(await mirror.countFirstParents(head)).toBe(5000)
  const records = await mirror.firstParents(head, 10_000)
  expect(records).toHaveLength(5000)
  expect(records.at(-1)?.subject).toBe('commit 1')
  const shas = records.map(({ sha }) => sha)
  expect([...(await mirror.placesOf(shas, head)).values()]).toEqual(
    shas.map((_, index) => ({ position: 4999 - index, mainline: true })),
  )
})

test('a commit that is no commit, or not there, is refused', async () => {
  const repository = await createTestRepository()
  const head = await repository.commit({ a: '1' })
  const tree = await repository.git('rev-parse', 'HEAD^{tree}')
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  for (const sha of [tree, '1'.repeat(40), '1'.repeat(64)])
    await expect(mirror.firstParents(sha, 1)).rejects.toMatchObject({
      kind: 'unknown_commit',
      canHeal: false,
    })
  for (const text of [
    'HEAD',
    'main',
    '--all',
    head.toUpperCase(),
    `${head}\n`,
    `${head}^`,
    head.slice(0, 39),
    '',
  ])
    for (const read of [
      () => mirror.firstParents(text, 1),
      () => mirror.countFirstParents(text),
      () => mirror.placesOf([head], text),
      () => mirror.placesOf([text], head),
      () => mirror.keep(text),
    ])
      await expect(read()).rejects.toThrow(TypeError)
})

test('a commit says who wrote it, when, and what it is about', async () => {
  const repository = await createTestRepository()
  const environment = {
    GIT_AUTHOR_NAME: 'Ada Łovelace',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_AUTHOR_DATE: '1700000000 +0530',
    GIT_COMMITTER_NAME: 'C',
    GIT_COMMITTER_EMAIL: 'c@example.org',
    GIT_COMMITTER_DATE: '1700000100 -0800',
  }
  await promisify(execFile)(
    'git',
    ['commit', '--quiet', '--allow-empty', '--message', 'web1: open\nport 443\n\nBecause.'],
    { cwd: repository.path, env: { ...environment, PATH: process.env['PATH'] } },
  )
  const mirror = await createTestMirror(repository.url)
  const { head } = await mirror.fetch(null)
  expect(await mirror.firstParents(head, 1)).toEqual([
    {
      sha: head,
      author: 'Ada Łovelace <ada@example.org>',
      authoredAt: new Date(1_700_000_000_000),
      committedAt: new Date(1_700_000_100_000),
      subject: 'web1: open port 443',
      signed: false,
    },
  ])
})

test('a signature is seen, also in a merge and with SHA-256', async () => {
  for (const format of ['sha1', 'sha256'] as const) {
    const repository = await createTestRepository(format)
    const key = join(await temporaryDirectory(), 'key')
    await createSshKey(key)
    await repository.commit({ a: '1' }, 'gpgsig in the subject')
    await repository.git('config', 'gpg.format', 'ssh')
    await repository.git('config', 'user.signingKey', key)
    await repository.git('commit', '--quiet', '--gpg-sign', '--allow-empty', '--message', 'signed')
    const mirror = await createTestMirror(repository.url)
    const { head } = await mirror.fetch(null)
    const records = await mirror.firstParents(head, 2)
    expect(records.map(({ subject, signed }) => ({ subject, signed }))).toEqual([
      { subject: 'signed', signed: true },
      { subject: 'gpgsig in the subject', signed: false },
    ])
  }
})

const TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
const person = (name: string): string => `${name} <a@example.org> 1700000000 +0000`

/** The record of a commit with this header after its tree, and this message. */
async function recordOf(header: string | Buffer, message: string | Buffer) {
  const repository = await createTestRepository()
  await writeObject(repository, 'tree', '')
  const content = Buffer.concat([`tree ${TREE}\n`, header, '\n\n', message].map((part) => Buffer.from(part)))
  const odd = await writeObject(repository, 'commit', content)
  await repository.git('update-ref', 'refs/heads/main', odd)
  const head = await repository.commit({ a: '1' }, 'after it')
  const mirror = await createTestMirror(repository.url)
  await mirror.fetch(null)
  const records = await mirror.firstParents(head, 5)
  expect(records.map(({ sha }) => sha)).toEqual([head, odd])
  expect(records[0]).toMatchObject({ subject: 'after it' })
  return records[1]
}

const plain = `author ${person('A')}\ncommitter ${person('C')}`

test.each<[string, string | Buffer, string]>([
  ['control characters', '\u001b[31mred\u0007', '\u001b[31mred\u0007'],
  ['a megabyte', 'x'.repeat(2 ** 20), `${'x'.repeat(255)}…`],
  ['seventy megabytes', Buffer.alloc(70 * 2 ** 20, 'x'), `${'x'.repeat(255)}…`],
  ['invalid UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'a\ufffd\ufffdb'],
  ['a character cut in the middle', '😀'.repeat(200), `${'😀'.repeat(127)}…`],
  ['empty lines before it', '\n\n  \nlate\n\nbody', 'late'],
  ['nothing', '', ''],
  ['a NUL', `before\0${'1'.repeat(40)}\ntree x\n\n    forged`, 'before'],
])('a subject of %s is bounded and text', async (_what, message, subject) => {
  expect(await recordOf(plain, message)).toMatchObject({ subject, author: 'A <a@example.org>' })
})

test.each<[string, string | Buffer, object]>([
  [
    'a long name',
    `author ${person('x'.repeat(5000))}\ncommitter ${person('C')}`,
    { author: `${'x'.repeat(255)}…` },
  ],
  ['no author', `committer ${person('C')}`, { author: '', authoredAt: new Date(0) }],
  [
    'a name in Latin-1',
    Buffer.from(`author ${person('Zoë')}\ncommitter ${person('C')}\nencoding ISO-8859-1`, 'latin1'),
    { author: 'Zoë <a@example.org>' },
  ],
  ['an unknown encoding', `${plain}\nencoding x-klingon`, { author: 'A <a@example.org>' }],
  [
    'a time beyond all calendars',
    `author A <a@example.org> 99999999999999999999 +0000\ncommitter ${person('C')}`,
    { authoredAt: new Date('9999-12-31T23:59:59Z') },
  ],
  ['no time', `author A <a@example.org>\ncommitter ${person('C')}`, { authoredAt: new Date(0) }],
  [
    'a negative time',
    `author A <a@example.org> -5 +0000\ncommitter ${person('C')}`,
    { authoredAt: new Date(0) },
  ],
  [
    'several authors',
    `author ${person('A')}\nauthor ${person('B')}\ncommitter ${person('C')}`,
    { author: 'A <a@example.org>' },
  ],
  ['a NUL in it', `author ${person('A\0B')}\ncommitter ${person('C')}`, {}],
])('a header with %s is read as far as it goes', async (_what, header, expected) => {
  expect(await recordOf(header, 'subject')).toMatchObject(expected)
})
