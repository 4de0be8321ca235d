import { describe, expect, test } from 'vitest'
import { readHardware } from '../../../src/agent/facts/hardware.ts'
import { parseRootMount } from '../../../src/agent/facts/mountinfo.ts'
import { createNotes } from '../../../src/agent/facts/notes.ts'
import { parseSerialPage } from '../../../src/agent/facts/vpd.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { unpack } from '../unpack-tree.ts'

async function read(...lines: string[]) {
  const notes = createNotes()
  const hardware = await readHardware(createRoot(await unpack(lines.join('\n'))), notes)
  return { ...hardware, reasons: Object.fromEntries(notes.list().map(({ fact, reason }) => [fact, reason])) }
}

describe('DMI', () => {
  test('what firmware left to be filled in is reported as it is', async () => {
    expect(await read('file /sys/class/dmi/id/board_serial\n|  To Be Filled By O.E.M. ')).toMatchObject({
      board_serial: 'To Be Filled By O.E.M.',
    })
  })

  test('blanks and control characters alone are no fact', async () => {
    const { board_serial: serial, reasons } = await read('base64 /sys/class/dmi/id/board_serial ICAAAQo=')
    expect(serial).toBeNull()
    expect(reasons['hardware.board_serial']).toMatch(/board_serial is empty$/)
  })

  test('a file that cannot be read costs that fact alone', async () => {
    const { product_uuid: uuid, manufacturer } = await read(
      'unreadable /sys/class/dmi/id/product_uuid',
      'file /sys/class/dmi/id/sys_vendor\n| LENOVO',
    )
    expect({ uuid, manufacturer }).toEqual({ uuid: null, manufacturer: 'LENOVO' })
  })
})

describe('cores of a processor that does not number them', () => {
  const arm = 'file /proc/cpuinfo\n| processor\t: 0\n|\n| processor\t: 1\n'

  test('are its threads when none are shared', async () => {
    const { cpu } = await read(arm, 'file /sys/devices/system/cpu/smt/active\n| 0')
    expect(cpu).toMatchObject({ cores: 2, threads: 2 })
  })

  test('are unknown when they are, or nobody says', async () => {
    expect((await read(arm, 'file /sys/devices/system/cpu/smt/active\n| 1')).cpu).toMatchObject({
      cores: null,
    })
    expect((await read(arm)).cpu).toMatchObject({ cores: null })
  })
})

describe('disks', () => {
  test('a disk whose size cannot be read is reported without it', async () => {
    const { disks } = await read(
      'link /sys/block/sda/device -> ../../host0',
      'unreadable /sys/block/sda/size',
    )
    expect(disks).toEqual([{ name: 'sda', serial: null, size_bytes: null }])
  })

  test('no disks is a fact, no directory of disks is not', async () => {
    expect(await read('dir /sys/block')).toMatchObject({ disks: [] })
    expect(await read('dir /sys')).toMatchObject({ disks: null })
  })

  test('a serial number in page 80h ends where the page says', () => {
    expect(parseSerialPage(Buffer.from('\0\x80\0\x04WX12rest', 'latin1'))).toBe('WX12')
    expect(() => parseSerialPage(Buffer.from('\0\x83\0\x04WX12', 'latin1'))).toThrow('page 80h')
    expect(() => parseSerialPage(Buffer.alloc(0))).toThrow('page 80h')
  })
})

const mount = (device: string, type: string, source: string) =>
  `file /proc/self/mountinfo\n| 28 1 ${device} / / rw,relatime shared:1 - ${type} ${source} rw`

describe('the UUID of the root file system', () => {
  test.each([
    ['tmpfs', 'none'],
    ['zfs', 'rpool/root'],
    ['overlay', 'overlay'],
  ])('there is none on %s', async (type, source) => {
    const { root_filesystem_uuid: uuid, reasons } = await read(mount('0:31', type, source))
    expect(uuid).toBeNull()
    expect(reasons['hardware.root_filesystem_uuid']).toContain(`${source} of type ${type}`)
  })

  test('a kernel without an initramfs says /dev/root, and the device number tells', async () => {
    const { root_filesystem_uuid: uuid } = await read(
      mount('8:2', 'ext4', '/dev/root'),
      'link /sys/dev/block/8:2 -> ../../devices/pci0/sda/sda2',
      'link /dev/disk/by-uuid/AAAA -> ../../sda1',
      'link /dev/disk/by-uuid/BBBB -> ../../sda2',
    )
    expect(uuid).toBe('BBBB')
  })

  test('an encrypted btrfs is found with a private /dev', async () => {
    const { root_filesystem_uuid: uuid } = await read(
      mount('0:31', 'btrfs', '/dev/mapper/cryptroot'),
      'file /sys/class/block/dm-0/dm/name\n| swap',
      'file /sys/class/block/dm-1/dm/name\n| cryptroot',
      'file /sys/class/block/dm-1/dev\n| 254:1',
      'file /run/udev/data/b254:1\n| E:ID_FS_TYPE=btrfs\n| E:ID_FS_UUID=CCCC',
    )
    expect(uuid).toBe('CCCC')
  })

  test('the last mount on / counts, and octal escapes are undone', () => {
    const text = [
      '1 1 0:2 / / rw shared:1 - rootfs rootfs rw',
      '28 1 0:30 / / rw - fuse.x /dev/my\\040disk rw',
      '29 28 0:31 / /home rw shared:2 master:1 - tmpfs tmpfs rw',
    ].join('\n')
    expect(parseRootMount(text)).toEqual({ device: '0:30', type: 'fuse.x', source: '/dev/my disk' })
    expect(() => parseRootMount('')).toThrow('no mount on /')
  })
})
