import { readFile } from 'node:fs/promises'
import { hostname, machine, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { readBoot } from '../../../src/agent/boot.ts'
import { collectFingerprint } from '../../../src/agent/facts/collect.ts'
import { createNotes, type Unreadable } from '../../../src/agent/facts/notes.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { readSystemState } from '../../../src/agent/system.ts'
import { Fingerprint, SystemState } from '../../../src/protocol/facts.ts'
import { TREES, unpack, unpackTree } from '../unpack-tree.ts'

const collect = (rootfs: string) => collectFingerprint(createRoot(rootfs), { agentVersion: '0.1.0' })
const facts = (unreadable: Unreadable[]) => [...new Set(unreadable.map(({ fact }) => fact))]

describe.each(TREES)('on the host %s', (name) => {
  test('every fact is what the host is, and only what cannot be read has a reason', async () => {
    const root = createRoot(await unpackTree(name))
    const { fingerprint, unreadable } = await collectFingerprint(root, { agentVersion: '0.1.0' })
    const notes = createNotes()
    const system = await readSystemState(root, notes)
    const observed = {
      fingerprint,
      unreadable: facts(unreadable),
      system,
      unreadableSystem: facts(notes.list()),
      boot: await readBoot(root),
    }
    const expected = await readFile(join(import.meta.dirname, `../trees/${name}.expected.json`), 'utf8')
    expect(observed).toEqual(JSON.parse(expected))
  })

  test('the report satisfies the schema and each null in it has a reason', async () => {
    const rootfs = await unpackTree(name)
    const { fingerprint, unreadable } = await collect(rootfs)
    expect(Value.Errors(Fingerprint, fingerprint)).toEqual([])
    const named = facts(unreadable)
    const unexplained = nulls(fingerprint).filter(
      (path) => !named.some((fact) => path === fact || path.startsWith(`${fact}.`)),
    )
    expect(unexplained).toEqual([])
    const system = await readSystemState(createRoot(rootfs))
    expect(system === null || Value.Check(SystemState, system)).toBe(true)
  })

  test('collecting twice gives the same result', async () => {
    const rootfs = await unpackTree(name)
    expect(await collect(rootfs)).toEqual(await collect(rootfs))
  })
})

/** Where a document is null; list items go by their names. */
function nulls(value: unknown, path = ''): string[] {
  if (value === null) return [path]
  if (typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, member]) => {
    const step = Array.isArray(value) && typeof member === 'object' ? String(member.name) : key
    return nulls(member, path === '' ? step : `${path}.${step}`)
  })
}

describe('on the machine the tests run on', () => {
  test('the facts are those the kernel gives Node', async () => {
    const { fingerprint } = await collect('/')
    expect(Value.Errors(Fingerprint, fingerprint)).toEqual([])
    expect(fingerprint.software.kernel_release).toBe(release())
    expect(fingerprint.software.architecture).toBe(machine())
    expect(fingerprint.hardware.memory_bytes).toBe(totalmem())
  })

  test('a root of prepared files with links to the live /proc and /sys reports the live hardware', async () => {
    const rootfs = await unpack('link /proc -> /proc\nlink /sys -> /sys\nfile /etc/hostname\n| web7\n')
    const [prepared, live] = [await collect(rootfs), await collect('/')]
    expect(prepared.fingerprint.software.hostname).toBe('web7')
    expect(prepared.fingerprint.network).toEqual(live.fingerprint.network)
    expect(prepared.fingerprint.hardware.disks).toEqual(live.fingerprint.hardware.disks)
    expect(prepared.fingerprint.security).toEqual(live.fingerprint.security)
  })

  test('without a host name of its own a root reports that of the running kernel', async () => {
    const rootfs = await unpack('link /proc -> /proc\n')
    expect((await collect(rootfs)).fingerprint.software.hostname).toBe(hostname())
  })
})
