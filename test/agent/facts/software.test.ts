import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createNotes } from '../../../src/agent/facts/notes.ts'
import { parseOsRelease } from '../../../src/agent/facts/os-release.ts'
import { readSoftware } from '../../../src/agent/facts/software.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { unpack } from '../unpack-tree.ts'

async function read(...lines: string[]) {
  return readSoftware(createRoot(await unpack(lines.join('\n'))), createNotes(), '0.1.0')
}

test('os-release values may be bare, in double quotes with escapes, or in single quotes', () => {
  const text =
    '# comment\nID=nixos\nNAME="A \\"B\\" \\$C \\\\D"\nVARIANT=\'it is $5\\\'\nEMPTY=""\nbroken line\n'
  expect(Object.fromEntries(parseOsRelease(text))).toEqual({
    ID: 'nixos',
    NAME: 'A "B" $C \\D',
    VARIANT: 'it is $5\\',
    EMPTY: '',
  })
})

test.each([
  ['BUILD_ID first', 'ID=nixos\n| BUILD_ID="25.11.1.abc"\n| VERSION_ID="25.11"', '25.11.1.abc'],
  ['the label of the running system next', 'ID=nixos\n| BUILD_ID=""\n| VERSION_ID="25.11"', '25.11.label'],
  ['of a distribution made of NixOS too', 'ID=acmeos\n| ID_LIKE="linux nixos"\n| BUILD_ID=7', '7'],
  ['none of another distribution', 'ID=debian\n| VERSION_ID="12"\n| BUILD_ID=7', null],
])('the NixOS version is %s', async (_, release, expected) => {
  const software = await read(
    `file /etc/os-release\n| ${release}`,
    'file /run/current-system/nixos-version\n| 25.11.label',
  )
  expect(software.nixos_version).toBe(expected)
})

test('VERSION_ID is what is left when nothing says more', async () => {
  expect(await read('file /etc/os-release\n| ID=nixos\n| VERSION_ID="25.11"')).toMatchObject({
    nixos_version: '25.11',
  })
})

test('a system without a name for itself is Linux (os-release(5))', async () => {
  expect(await read('file /etc/os-release\n| ID=x')).toMatchObject({ os_name: 'Linux' })
})

test.each([
  ['of the file', 'file /etc/hostname\n| web1', 'web1'],
  ['of the file, without the comments', 'file /etc/hostname\n| # web0\n|\n|  web1', 'web1'],
  ['of the kernel when the file is empty', 'file /etc/hostname', 'kernel1'],
  ['of the kernel when the file cannot be read', 'unreadable /etc/hostname', 'kernel1'],
])('the host name is that %s', async (_, tree, expected) => {
  expect(await read(tree, 'file /proc/sys/kernel/hostname\n| kernel1')).toMatchObject({ hostname: expected })
})

test('a kernel without a host name gives none', async () => {
  expect(await read('file /proc/sys/kernel/hostname\n| (none)')).toMatchObject({ hostname: null })
})

test('the machine id itself is not reported, but an HMAC of its text', async () => {
  const id = '6c1f0a3b5d7e49028f4ab3c2d1e0f987'
  const { machine_id_digest: digest } = await read(`file /etc/machine-id\n| ${id}`)
  expect(digest).toBe(createHmac('sha256', 'crystal-forge/machine-id/1').update(id).digest('hex'))
})

test.each(['', 'uninitialized'])('the machine id of an image, "%s", is none', async (id) => {
  expect(await read(`file /etc/machine-id\n| ${id}`)).toMatchObject({ machine_id_digest: null })
})
