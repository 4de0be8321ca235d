import { expect, test } from 'vitest'
import { readBoot } from '../../src/agent/boot.ts'
import { createRoot } from '../../src/agent/root.ts'
import { unpack } from './unpack-tree.ts'

test('the running host says which boot it is and since when', async () => {
  const boot = await readBoot(createRoot('/'))
  expect(boot.bootId).toMatch(/^[0-9a-f-]{36}$/)
  expect(boot.uptimeSecs).toBeGreaterThan(0)
})

test('what is not a boot id or an uptime is null', async () => {
  const tree = 'file /proc/sys/kernel/random/boot_id\n| unknown\nfile /proc/uptime\n| -5 x'
  expect(await readBoot(createRoot(await unpack(tree)))).toEqual({ bootId: null, uptimeSecs: null })
  expect(await readBoot(createRoot(await unpack('dir /proc')))).toEqual({ bootId: null, uptimeSecs: null })
})
