import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRoot } from '../../src/agent/root.ts'
import { createWatch, type WatchOptions } from '../../src/agent/watch.ts'
import { captureLog, replaceLink, replaceLinkInBurst, storePath } from '../support/agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { waitFor } from '../support/wait.ts'

async function setUp(options: Partial<WatchOptions> = {}) {
  const rootfs = await temporaryDirectory()
  const run = join(rootfs, 'run')
  const profiles = join(rootfs, 'nix/var/nix/profiles')
  await mkdir(run)
  await mkdir(profiles, { recursive: true })
  await symlink(storePath('a'), join(run, 'current-system'))
  await symlink(storePath('a'), join(run, 'booted-system'))
  await symlink('system-1-link', join(profiles, 'system'))
  const { log, lines } = captureLog()
  let changes = 0
  const onChange = (): void => void (changes += 1)
  const watch = createWatch({ root: createRoot(rootfs), log, onChange, ...options })
  onTestFinished(watch.stop)
  return { rootfs, run, profiles, watch, lines, changes: () => changes }
}

test.each(['run/current-system', 'run/booted-system', 'nix/var/nix/profiles/system'])(
  'a new target of %s is seen, each time',
  async (link) => {
    const { rootfs, watch, changes } = await setUp()
    await watch.start()
    for (let i = 1; i <= 3; i += 1) {
      await replaceLink(join(rootfs, link), storePath(`new-${i}`))
      await waitFor(() => changes() === i)
    }
  },
)

test('a link that was removed and made again is seen', async () => {
  const { run, watch, changes } = await setUp()
  await watch.start()
  await rm(join(run, 'current-system'))
  await symlink(storePath('b'), join(run, 'current-system'))
  await waitFor(() => changes() === 1)
})

test('a burst is one change', async () => {
  const { run, watch, changes } = await setUp()
  await watch.start()
  replaceLinkInBurst(join(run, 'current-system'), (index) => storePath(`burst-${index}`), 30)
  await waitFor(() => changes() > 0)
  expect(changes()).toBe(1)
})

test('other files of the directories, and links that point where they did, are no change', async () => {
  const { run, watch, changes } = await setUp({ recheckMs: 5 })
  await watch.start()
  await writeFile(join(run, 'other'), '')
  await replaceLink(join(run, 'current-system'), storePath('a'))
  const { watch: other, run: otherRun, changes: otherChanges } = await setUp()
  await other.start()
  await replaceLink(join(otherRun, 'current-system'), storePath('b'))
  await waitFor(() => otherChanges() === 1)
  expect(changes()).toBe(0)
})

test('a directory that is missing at the start is found later, and why is said once', async () => {
  const { rootfs, profiles, watch, changes, lines } = await setUp({ recheckMs: 10 })
  await rename(profiles, join(rootfs, 'kept'))
  await watch.start()
  await waitFor(() => lines.length > 0)
  expect(lines[0]!.msg).toContain('/nix/var/nix/profiles cannot be watched')
  await rename(join(rootfs, 'kept'), profiles)
  await waitFor(() => changes() === 1)
  await replaceLink(join(profiles, 'system'), 'system-2-link')
  await waitFor(() => changes() === 2)
  expect(lines).toHaveLength(1)
})

test('a directory that was replaced is watched again', async () => {
  const { rootfs, run, watch, changes } = await setUp({ recheckMs: 10 })
  await watch.start()
  await rename(run, join(rootfs, 'run.old'))
  await mkdir(run)
  await symlink(storePath('b'), join(run, 'current-system'))
  await waitFor(() => changes() > 0)
  const { ino } = await stat(run)
  await waitFor(async () => (await watchedInodes()).has(ino), { what: 'a watch on the new directory' })
})

/** Inodes this process watches, as the kernel says (proc_pid_fdinfo(5), inotify). */
async function watchedInodes(): Promise<Set<number>> {
  const inodes = new Set<number>()
  for (const fd of await readdir('/proc/self/fdinfo')) {
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '')
    for (const [, ino = ''] of info.matchAll(/^inotify wd:\S+ ino:(\S+)/gm))
      inodes.add(Number.parseInt(ino, 16))
  }
  return inodes
}

test('nothing is told after it was stopped', async () => {
  const { run, watch, changes } = await setUp({ recheckMs: 1 })
  await watch.start()
  await replaceLink(join(run, 'current-system'), storePath('b'))
  watch.stop()
  const before = changes()
  await replaceLink(join(run, 'current-system'), storePath('c'))
  const { watch: other, run: otherRun, changes: otherChanges } = await setUp()
  await other.start()
  await replaceLink(join(otherRun, 'current-system'), storePath('b'))
  await waitFor(() => otherChanges() === 1)
  expect(changes()).toBe(before)
})
