import { execFileSync } from 'node:child_process'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRoot, isAbsent } from '../../src/agent/root.ts'
import { unpack } from './unpack-tree.ts'

async function rootOf(tree: string) {
  const path = await unpack(tree)
  return { path, root: createRoot(path) }
}

describe('links', () => {
  test('an absolute link leads to a place inside the root', async () => {
    const { root, path } = await rootOf(
      'link /etc/hostname -> /etc/static/name\nfile /etc/static/name\n| inside',
    )
    expect(await root.readText('/etc/hostname')).toBe('inside\n')
    expect(await root.realPath('/etc/hostname')).toBe('/etc/static/name')
    expect(await root.hostPath('/etc/hostname')).toBe(join(path, 'etc/static/name'))
  })

  test('a link in the middle of a path is followed inside the root too', async () => {
    const { root } = await rootOf(
      'link /etc/static -> /nix/etc\nlink /nix/etc -> real\nfile /nix/real/name\n| inside',
    )
    expect(await root.readText('/etc/static/name')).toBe('inside\n')
    expect(await root.list('/etc/static')).toEqual(['name'])
  })

  test('a relative link cannot climb out of the root', async () => {
    const { root } = await rootOf('link /a/up -> ../../../../../etc/name\nfile /etc/name\n| inside')
    expect(await root.readText('/a/up')).toBe('inside\n')
    expect(await root.readText('/../../etc/name')).toBe('inside\n')
  })

  test('a target outside is looked for inside and not found', async () => {
    const { root } = await rootOf('link /etc/passwd -> /proc/../etc/shadow\ndir /proc')
    await expect(root.readText('/etc/passwd')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('the target of a link is given as it is written', async () => {
    const { root } = await rootOf('link /run -> var/run\nlink /var/run/current-system -> /nix/store/x')
    expect(await root.readLink('/run/current-system')).toBe('/nix/store/x')
  })

  test.each(['link /a -> a', 'link /a -> b\nlink /b -> /a', 'unreadable /a'])(
    'a loop is an error: %s',
    async (tree) => {
      const { root } = await rootOf(tree)
      await expect(root.readText('/a')).rejects.toMatchObject({ code: 'ELOOP' })
    },
  )

  test('an absolute link to its own place stands for the place on the running host', async () => {
    const { root } = await rootOf('link /proc -> /proc\nfile /etc/name')
    expect(await root.readText('/proc/sys/kernel/osrelease')).toBe(
      await createRoot('/').readText('/proc/sys/kernel/osrelease'),
    )
    expect(await root.readText('/proc/self/status')).toContain(`Pid:\t${process.pid}\n`)
    expect(await root.isLive('/proc')).toBe(true)
    expect(await root.isLive('/etc/name')).toBe(false)
  })
})

describe('the running host as root', () => {
  test('reads through and is live', async () => {
    const root = createRoot('/')
    expect(await root.isLive('/proc')).toBe(true)
    expect(await root.realPath('/proc/self')).toBe(`/proc/${process.pid}`)
    expect(await root.list('/proc/self')).toContain('mountinfo')
  })
})

describe('files', () => {
  test('what is not there is absent, what cannot be read is not', async () => {
    const { root } = await rootOf('file /file\ndir /dir\nunreadable /loop')
    const failure = (path: string) => root.readText(path).catch((error: unknown) => error)
    expect(isAbsent(await failure('/none'))).toBe(true)
    expect(isAbsent(await failure('/file/below'))).toBe(true)
    expect(isAbsent(await failure('/dir'))).toBe(false)
    expect(isAbsent(await failure('/loop'))).toBe(false)
  })

  test('bytes that are not UTF-8 are replaced', async () => {
    const { root } = await rootOf('base64 /file /2H/')
    expect(await root.readText('/file')).toBe('\uFFFDa\uFFFD')
    expect([...(await root.readBytes('/file'))]).toEqual([0xff, 0x61, 0xff])
  })

  test('a file of exactly 4 MiB is read, a larger one refused', async () => {
    const { root, path } = await rootOf('file /file')
    await truncate(join(path, 'file'), 4 * 1024 * 1024)
    expect((await root.readBytes('/file')).length).toBe(4 * 1024 * 1024)
    await truncate(join(path, 'file'), 4 * 1024 * 1024 + 1)
    await expect(root.readBytes('/file')).rejects.toMatchObject({ code: 'EFBIG' })
  })

  test('a FIFO that nobody writes to is empty', async () => {
    const { root, path } = await rootOf('dir /dir')
    execFileSync('mkfifo', [join(path, 'fifo')])
    expect(await root.readText('/fifo')).toBe('')
  })

  test('the time is that of the link, not of its target', async () => {
    const { root } = await rootOf('link /link -> file @2026-11-20T08:15:30.250Z\nfile /file')
    expect((await root.modifiedAt('/link')).toISOString()).toBe('2026-11-20T08:15:30.250Z')
  })
})
