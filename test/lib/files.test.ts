import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareFile, writeFileDurably } from '../../src/lib/files.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test('a file is written with its mode, whatever the umask', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'file')
  const umask = process.umask(0o077)
  try {
    await writeFileDurably(path, 'text', { mode: 0o644 })
  } finally {
    process.umask(umask)
  }
  expect(await readFile(path, 'utf8')).toBe('text')
  expect(await modeOf(path)).toBe(0o644)
})

test('a file is replaced as a whole: another name of the old one keeps the old content', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'file')
  await writeFile(path, 'old')
  await link(path, join(directory, 'other'))
  await writeFileDurably(path, new Uint8Array([110, 101, 119]), { mode: 0o600 })
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(await readFile(join(directory, 'other'), 'utf8')).toBe('old')
  expect((await readdir(directory)).sort()).toEqual(['file', 'other'])
})

test('nothing is left behind when the file cannot get its name', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'taken'))
  await expect(writeFileDurably(join(directory, 'taken'), 'text', { mode: 0o600 })).rejects.toMatchObject({
    code: 'EISDIR',
  })
  expect(await readdir(directory)).toEqual(['taken'])
})

test('a directory that is not there is an error with its code', async () => {
  const directory = await temporaryDirectory()
  await expect(
    writeFileDurably(join(directory, 'none', 'file'), 'text', { mode: 0o600 }),
  ).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a prepared file does not replace one unless told to', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'file')
  await writeFile(path, 'old')
  const prepared = await prepareFile(path, 'new', { mode: 0o600 })
  await expect(prepared.publish({ replace: false })).rejects.toMatchObject({ code: 'EEXIST' })
  expect(await readFile(path, 'utf8')).toBe('old')
  await prepared.discard()
  expect(await readdir(directory)).toEqual(['file'])
})

test('a link that leads nowhere counts as a file that is there', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'file')
  await symlink(join(directory, 'elsewhere'), path)
  const prepared = await prepareFile(path, 'new', { mode: 0o600 })
  await expect(prepared.publish({ replace: false })).rejects.toMatchObject({ code: 'EEXIST' })
  await prepared.discard()
})

test('before it is published only its owner can read it under a temporary name', async () => {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  const prepared = await prepareFile(join(directory, 'file'), 'new', { mode: 0o600 })
  const [temporary] = await readdir(directory)
  expect(temporary).toMatch(/^\.file\.[0-9a-f]{12}\.tmp$/)
  expect(await modeOf(join(directory, temporary!))).toBe(0o600)
  await prepared.publish({ replace: false })
  expect(await readdir(directory)).toEqual(['file'])
  await prepared.discard()
  expect(await readdir(directory)).toEqual(['file'])
})
