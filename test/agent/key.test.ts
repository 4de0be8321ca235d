import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadKey, type KeyOptions } from '../../src/agent/key.ts'
import { explainError } from '../../src/lib/errors.ts'
import { encodeBase64, parsePrivateKey } from '../../src/protocol/keys.ts'
import { captureLog, newKey } from '../support/agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

async function setUp(options: Partial<KeyOptions> = {}) {
  const stateDir = await temporaryDirectory()
  const { log, lines } = captureLog()
  const load = (more: Partial<KeyOptions> = {}) =>
    loadKey({
      path: null,
      stateDir,
      hasToken: false,
      credentialsDirectory: undefined,
      log,
      ...options,
      ...more,
    })
  return { stateDir, load, lines }
}

async function writeKey(path: string, mode = 0o600): Promise<string> {
  const { seed, id } = newKey()
  await writeFile(path, `${encodeBase64(seed)}\n`)
  await chmod(path, mode)
  return id
}

describe('the key', () => {
  test('is read from the configured file', async () => {
    const { stateDir, load } = await setUp()
    const path = join(stateDir, 'configured.key')
    const id = await writeKey(path)
    await writeKey(join(stateDir, 'host.key'))
    expect((await load({ path })).id).toBe(id)
  })

  test('is host.key in the state directory where none is configured', async () => {
    const { stateDir, load } = await setUp()
    const id = await writeKey(join(stateDir, 'host.key'))
    expect((await load()).id).toBe(id)
  })

  test('that is missing is an error that says how to make one', async () => {
    const { stateDir, load } = await setUp()
    await expect(load()).rejects.toThrow(`crystal-forge keygen -f ${join(stateDir, 'host.key')}`)
  })

  test('that is damaged is an error that names the file and not its content', async () => {
    const { stateDir, load } = await setUp()
    const path = join(stateDir, 'host.key')
    await writeFile(path, 'c2VjcmV0', { mode: 0o600 })
    const text = explainError(await load().catch((error: unknown) => error))
    expect(text).toContain(`the private key ${path} cannot be used: `)
    expect(text).not.toContain('c2VjcmV0')
  })

  test('that is not there is not looked for further when it cannot be opened', async () => {
    const { stateDir, load } = await setUp()
    const path = join(stateDir, 'loop.key')
    await symlink('loop.key', path)
    await writeKey(join(stateDir, 'host.key'))
    await expect(load({ path })).rejects.toThrow('cannot open')
  })
})

describe('permissions', () => {
  test.each([0o600, 0o400, 0o700])('a key of mode %o is used', async (mode) => {
    const { stateDir, load } = await setUp()
    const id = await writeKey(join(stateDir, 'host.key'), mode)
    expect((await load()).id).toBe(id)
  })

  test.each([0o640, 0o604, 0o620, 0o602, 0o644, 0o610, 0o601])(
    'a key of mode %o is refused',
    async (mode) => {
      const { stateDir, load } = await setUp()
      await writeKey(join(stateDir, 'host.key'), mode)
      const text = explainError(await load().catch((error: unknown) => error))
      expect(text).toMatch(new RegExp(`mode 0${mode.toString(8)}.*chmod 600`))
    },
  )

  test('of a credential of systemd may be others, also through a link', async () => {
    const { stateDir, load } = await setUp()
    const credentialsDirectory = join(stateDir, 'credentials')
    await mkdir(credentialsDirectory)
    const path = join(credentialsDirectory, 'key')
    const id = await writeKey(path, 0o440)
    await symlink(path, join(stateDir, 'link.key'))
    expect((await load({ path, credentialsDirectory })).id).toBe(id)
    expect((await load({ path: join(stateDir, 'link.key'), credentialsDirectory })).id).toBe(id)
  })

  test('of a file that only looks like a credential may not', async () => {
    const { stateDir, load } = await setUp()
    const credentialsDirectory = join(stateDir, 'credentials')
    await mkdir(credentialsDirectory)
    await mkdir(`${credentialsDirectory}-not`)
    await writeKey(join(`${credentialsDirectory}-not`, 'key'), 0o440)
    await symlink(join(`${credentialsDirectory}-not`, 'key'), join(credentialsDirectory, 'link'))
    for (const path of [join(credentialsDirectory, 'link'), join(`${credentialsDirectory}-not`, 'key')]) {
      await expect(load({ path, credentialsDirectory })).rejects.toThrow('cannot be used')
    }
  })
})

describe('with an enrolment token', () => {
  test('a missing key is made in the state directory, for its owner only, and found again', async () => {
    const { stateDir, load } = await setUp({ path: '/nowhere/host.key', hasToken: true })
    const made = await load()
    const path = join(stateDir, 'host.key')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(parsePrivateKey(await readFile(path, 'utf8')).id).toBe(made.id)
    expect((await load()).id).toBe(made.id)
    expect((await load({ hasToken: false })).id).toBe(made.id)
  })

  test('a key that others can read is not replaced', async () => {
    const { stateDir, load } = await setUp({ hasToken: true })
    await writeKey(join(stateDir, 'host.key'), 0o644)
    await expect(load()).rejects.toThrow('cannot be used')
  })
})
