import { posix } from 'node:path'
import { isAbsent, type Root } from '../root.ts'
import { parseRootMount, type RootMount } from './mountinfo.ts'
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
  const links = await root.list(BY_UUID).catch(nothingIfAbsent)
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
  return posix.basename(await root.realPath(source))
}

function nothingIfAbsent(error: unknown): string[] {
  if (isAbsent(error)) return []
  throw error
}
