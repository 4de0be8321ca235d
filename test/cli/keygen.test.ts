import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePrivateKey, parsePublicKey } from '../../src/protocol/keys.ts'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test.each(['main', 'keygen-main'] as const)('a pair is written with its modes, by %s', async (entry) => {
  const cwd = await temporaryDirectory()
  const args = entry === 'main' ? ['keygen', '-f', 'a.key'] : ['-f', 'a.key']
  const { code, stdout, stderr } = await runCli(args, { cwd, entry })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect((await readdir(cwd)).sort()).toEqual(['a.key', 'a.pub'])

  const [seed, publicKey] = [
    await readFile(join(cwd, 'a.key'), 'utf8'),
    await readFile(join(cwd, 'a.pub'), 'utf8'),
  ]
  expect(seed).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
  expect(parsePublicKey(publicKey.trim())).toEqual(parsePrivateKey(seed).publicKey)
  expect(await modeOf(join(cwd, 'a.key'))).toBe(0o600)
  expect(await modeOf(join(cwd, 'a.pub'))).toBe(0o644)

  expect(stdout).toContain(publicKey.trim())
  expect(stdout).toContain(parsePrivateKey(seed).id)
  expect(stdout).not.toContain(seed.trim())
})

test('the pair is host.key and host.pub unless told otherwise, and described as JSON', async () => {
  const cwd = await temporaryDirectory()
  const { stdout } = await runCli(['keygen', '--json'], { cwd })
  const key = parsePrivateKey(await readFile(join(cwd, 'host.key'), 'utf8'))
  expect(JSON.parse(stdout)).toEqual({
    private_key_file: 'host.key',
    public_key_file: 'host.pub',
    public_key: key.publicKey.toString('base64'),
    key_id: key.id,
  })
})

test('each pair is another', async () => {
  const cwd = await temporaryDirectory()
  await runCli(['keygen', '-f', 'a'], { cwd })
  await runCli(['keygen', '-f', 'b'], { cwd })
  expect(await readFile(join(cwd, 'a.pub'), 'utf8')).not.toBe(await readFile(join(cwd, 'b.pub'), 'utf8'))
})

test.each(['host.key', 'host.pub'])(
  'an existing %s is not overwritten, and nothing is added',
  async (name) => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, name), 'precious')
    const result = await runCli(['keygen'], { cwd })
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `crystal-forge: ${name} exists already; --force replaces the key pair, and the old private key is lost\n`,
    })
    expect(await readdir(cwd)).toEqual([name])
    expect(await readFile(join(cwd, name), 'utf8')).toBe('precious')
  },
)

test('a link that leads nowhere is not written through', async () => {
  const cwd = await temporaryDirectory()
  await symlink(join(cwd, 'elsewhere'), join(cwd, 'host.key'))
  expect(await runCli(['keygen'], { cwd })).toMatchObject({ code: 1 })
  expect(await readdir(cwd)).toEqual(['host.key'])
})

test('--force replaces both files, and their modes', async () => {
  const cwd = await temporaryDirectory()
  await runCli(['keygen'], { cwd })
  const before = await readFile(join(cwd, 'host.key'), 'utf8')
  await chmod(join(cwd, 'host.key'), 0o644)
  expect(await runCli(['keygen', '--force'], { cwd })).toMatchObject({ code: 0 })
  const seed = await readFile(join(cwd, 'host.key'), 'utf8')
  expect(seed).not.toBe(before)
  expect(await modeOf(join(cwd, 'host.key'))).toBe(0o600)
  expect(await readFile(join(cwd, 'host.pub'), 'utf8')).toBe(
    `${parsePrivateKey(seed).publicKey.toString('base64')}\n`,
  )
  expect((await readdir(cwd)).sort()).toEqual(['host.key', 'host.pub'])
})

test('two at the same time make one pair', async () => {
  const cwd = await temporaryDirectory()
  const results = await Promise.all([1, 2, 3].map(() => runCli(['keygen'], { cwd })))
  expect(results.map(({ code }) => Number(code)).toSorted((a, b) => a - b)).toEqual([0, 1, 1])
  const { publicKey } = parsePrivateKey(await readFile(join(cwd, 'host.key'), 'utf8'))
  expect(await readFile(join(cwd, 'host.pub'), 'utf8')).toBe(`${publicKey.toString('base64')}\n`)
  expect((await readdir(cwd)).sort()).toEqual(['host.key', 'host.pub'])
})

test('nothing is left when the private key cannot be replaced', async () => {
  const cwd = await temporaryDirectory()
  await mkdir(join(cwd, 'host.key'))
  expect(await runCli(['keygen', '--force'], { cwd })).toMatchObject({ code: 1, stdout: '' })
  expect(await readdir(cwd)).toEqual(['host.key'])
})

test('a directory that is not there is an error of one line', async () => {
  const cwd = await temporaryDirectory()
  const { code, stderr } = await runCli(['keygen', '-f', 'none/host.key'], { cwd })
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^crystal-forge: cannot write the key pair none\/host\.key and none\/host\.pub: ENOENT.*\n$/,
  )
})

test('the name of a public key is wrong usage', async () => {
  const cwd = await temporaryDirectory()
  expect(await runCli(['keygen', '-f', 'host.pub'], { cwd })).toMatchObject({ code: 2 })
  expect(await readdir(cwd)).toEqual([])
})

test('cf-keygen has help and version of its own', async () => {
  const cwd = await temporaryDirectory()
  const help = await runCli(['--help'], { cwd, entry: 'keygen-main' })
  expect(help.stdout).toContain('Usage: cf-keygen [options]')
  expect(await runCli(['--version'], { cwd, entry: 'keygen-main' })).toMatchObject({ code: 0 })
  expect(await runCli(['-x'], { cwd, entry: 'keygen-main' })).toMatchObject({
    code: 2,
    stderr: "cf-keygen: unknown option '-x'\n",
  })
})
