import { posix } from 'node:path'
import type { Root } from '../root.ts'
import { parseRootMount, type RootMount } from './mountinfo.ts'
import { readUnlessAbsent } from './read.ts'
import { parseUdevProperty } from './udev.ts'

const BY_UUID = '/dev/disk/by-uuid'

/**
 * The UUID of the file system on /: the name of the link in /dev/disk/by-uuid to its block device, or what udev
 * found on that device. A service with a private /dev sees no such links; of a btrfs on several disks only one
 * disk has the link.
 */
export async function readRootFilesystemUuid(root: Root): Promise<string> {
  const mount = parseRootMount(await root.readText('/proc/self/mountinfo'))
  const name = await blockDevice(root, mount)
  const links = await readUnlessAbsent(
    () => root.list(BY_UUID),
    () => [],
  )
  for (const uuid of links.sort()) {
    if (posix.basename(await root.readLink(`${BY_UUID}/${uuid}`)) === name) return uuid
  }
  const number = (await root.readText(`/sys/class/block/${name}/dev`)).trim()
  const uuid = parseUdevProperty(await root.readText(`/run/udev/data/b${number}`), 'ID_FS_UUID')
  if (uuid === null) throw new Error(`neither ${BY_UUID} nor udev has one for ${name}`)
  return uuid
}

/** The kernel's name of the device, `sda2` or `dm-0`. Not by `source` if it can be helped: that may be `/dev/root`. */
async function blockDevice(root: Root, { device, type, source }: RootMount): Promise<string> {
  if (!device.startsWith('0:')) return posix.basename(await root.readLink(`/sys/dev/block/${device}`))
  if (!source.startsWith('/dev/'))
    throw new Error(`/ is ${source} of type ${type}, which is on no block device`)
  return readUnlessAbsent(
    async () => posix.basename(await root.realPath(source)),
    () => deviceOutsideDev(root, source),
  )
}

/** The name of a device whose node a private /dev does not have. */
async function deviceOutsideDev(root: Root, source: string): Promise<string> {
  const name = posix.basename(source)
  if (!source.startsWith('/dev/mapper/')) return name
  for (const device of await root.list('/sys/class/block')) {
    const mapped = device.startsWith('dm-') ? await root.readText(`/sys/class/block/${device}/dm/name`) : ''
    if (mapped.trim() === name) return device
  }
  throw new Error(`no device is mapped as ${name}`)
}
