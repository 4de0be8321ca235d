import { expect, test } from 'vitest'
import { createNotes } from '../../../src/agent/facts/notes.ts'
import { readSecurity } from '../../../src/agent/facts/security.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { unpack } from '../unpack-tree.ts'

async function read(...lines: string[]) {
  const notes = createNotes()
  const security = await readSecurity(createRoot(await unpack(lines.join('\n'))), notes)
  return { ...security, notes: notes.list() }
}

const EFIVARS = '/sys/firmware/efi/efivars'
const variable = (name: string, bytes: number[]) =>
  `base64 ${EFIVARS}/${name}-8be4df61-93ca-11d2-aa0d-00e098032b8c ${Buffer.from(bytes).toString('base64')}`

test.each([
  ['on', [6, 0, 0, 0, 1], true],
  ['off, although the attributes are not 0', [6, 0, 0, 0, 0], false],
  ['unknown without the attributes', [1], null],
  ['unknown when cut off after the attributes', [6, 0, 0, 0], null],
  ['unknown with another value', [6, 0, 0, 0, 2], null],
  ['unknown when too long', [6, 0, 0, 0, 1, 0], null],
])('Secure Boot is %s', async (_, bytes, expected) => {
  expect(await read(variable('SecureBoot', bytes))).toMatchObject({ secure_boot: expected })
})

test('UEFI firmware without the variable has no Secure Boot', async () => {
  expect(await read(variable('BootOrder', [7, 0, 0, 0, 1, 0]))).toMatchObject({
    secure_boot: false,
    setup_mode: null,
  })
})

test('a BIOS has no Secure Boot', async () => {
  const security = await read('dir /sys/firmware/acpi')
  expect(security).toMatchObject({ secure_boot: false, setup_mode: null })
})

test.each([
  ['/sys/firmware is hidden by a container engine', 'dir /sys/firmware'],
  ['efivarfs is not mounted', `dir ${EFIVARS}`],
  ['/sys is not mounted', 'dir /sys'],
  ['the directory cannot be read', 'unreadable /sys/firmware'],
])('Secure Boot is unknown when %s', async (_, tree) => {
  const { secure_boot: secureBoot, notes } = await read(tree)
  expect(secureBoot).toBeNull()
  expect(notes.map(({ fact }) => fact)).toContain('security.secure_boot')
})

test.each([
  ['enforcing', 'file /sys/fs/selinux/enforce\n| 1', 'enforcing'],
  ['permissive', 'file /sys/fs/selinux/enforce\n| 0', 'permissive'],
  ['disabled where the kernel has no directory for it', 'dir /sys/fs/cgroup', 'disabled'],
  ['unknown when selinuxfs is not mounted', 'dir /sys/fs/selinux', null],
  ['unknown when /sys/fs is empty', 'dir /sys/fs', null],
  ['unknown when the file cannot be read', 'unreadable /sys/fs/selinux/enforce', null],
])('SELinux is %s', async (_, tree, expected) => {
  expect(await read(tree)).toMatchObject({ selinux: expected })
})

test.each([
  ['on', 'file /proc/sys/crypto/fips_enabled\n| 1', true],
  ['off', 'file /proc/sys/crypto/fips_enabled\n| 0', false],
  ['off in a kernel without it', 'dir /proc/sys/kernel', false],
  ['unknown without /proc/sys', 'file /proc/uptime', null],
])('FIPS mode is %s', async (_, tree, expected) => {
  expect(await read(tree)).toMatchObject({ fips: expected })
})

test.each([
  [
    'the mode in brackets',
    'file /sys/kernel/security/lockdown\n| none integrity [confidentiality]',
    'confidentiality',
  ],
  ['none in a kernel without it', 'file /sys/kernel/security/lsm\n| yama', 'none'],
  ['unknown when securityfs is not mounted', 'dir /sys/kernel/security', null],
])('lockdown is %s', async (_, tree, expected) => {
  expect(await read(tree)).toMatchObject({ lockdown: expected })
})

test('there is a TPM when the class has one, whether or not its version can be read', async () => {
  const none = { present: false, version: null }
  expect((await read('dir /sys/class/net')).tpm).toEqual(none)
  expect((await read('dir /sys/class/tpm', 'dir /sys/class/net')).tpm).toEqual(none)
  expect((await read('dir /sys/class/tpm/tpm0')).tpm).toEqual({ present: true, version: null })
  expect((await read('file /sys/class/tpm/tpm0/tpm_version_major\n| 2')).tpm).toEqual({
    present: true,
    version: '2',
  })
  expect((await read('unreadable /sys/class/tpm')).tpm).toEqual({ present: null, version: null })
  expect((await read('dir /sys')).tpm).toEqual({ present: null, version: null })
})

test('a taint is the number the kernel gives', async () => {
  expect(await read('file /proc/sys/kernel/tainted\n| 4097')).toMatchObject({ tainted: 4097 })
  expect(await read('file /proc/sys/kernel/tainted\n| many')).toMatchObject({ tainted: null })
})
