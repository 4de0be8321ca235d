import type { Fingerprint } from '../../protocol/facts.ts'
import { isAbsent, type Root } from '../root.ts'
import type { Notes } from './notes.ts'
import { readCount, readFirst } from './read.ts'
import { cleanText } from './text.ts'
import { parseUdevProperty } from './udev.ts'
import { parseSerialPage } from './vpd.ts'

type Disk = NonNullable<Fingerprint['hardware']['disks']>[number]

const BLOCK = '/sys/block'
const MAX_DISKS = 64
/** The unit of `size`, whatever the device's own block size is (linux/types.h, sector_t). */
const SECTOR_BYTES = 512

/** Optical and floppy drives; the single paths below an NVMe multipath disk; the boot areas of an eMMC. */
const NOT_A_DISK = /^(sr\d+|fd\d+|nvme\d+c\d+n\d+|mmcblk\d+(boot\d+|rpmb|gp\d+))$/

/** The disks: block devices with a device behind them (not loop, dm, md, zram) and with a medium. */
export async function readDisks(root: Root, notes: Notes): Promise<Disk[]> {
  const names = (await root.list(BLOCK)).filter((name) => !NOT_A_DISK.test(name)).sort()
  const present = await Promise.all(names.map((name) => isPresent(root, name)))
  const kept = notes.bound(
    'hardware.disks',
    names.filter((_, index) => present[index]),
    MAX_DISKS,
  )
  return Promise.all(
    kept.map(async (name) => {
      const fact = `hardware.disks.${name}`
      return {
        name: await notes.text(`${fact}.name`, () => name),
        serial: await notes.text(`${fact}.serial`, () => readSerial(root, name)),
        size_bytes: await notes.attempt(`${fact}.size_bytes`, () => readSize(root, name)),
      }
    }),
  )
}

/** A card reader without a card is a device of size 0. What cannot be told counts as present, and gets its note later. */
async function isPresent(root: Root, name: string): Promise<boolean> {
  try {
    await root.readLink(`${BLOCK}/${name}/device`)
    return (await readSize(root, name)) > 0
  } catch (error) {
    return !isAbsent(error)
  }
}

async function readSize(root: Root, name: string): Promise<number> {
  const bytes = (await readCount(root, `${BLOCK}/${name}/size`)) * SECTOR_BYTES
  if (!Number.isSafeInteger(bytes)) throw new Error(`${BLOCK}/${name}/size is out of range`)
  return bytes
}

/** virtio has `serial`, NVMe and MMC `device/serial`, SCSI and SATA page 80h; what udev asked the disk comes last. */
async function readSerial(root: Root, name: string): Promise<string> {
  const sources = [
    () => readFirst(root, [`${BLOCK}/${name}/serial`, `${BLOCK}/${name}/device/serial`]),
    async () => parseSerialPage(await root.readBytes(`${BLOCK}/${name}/device/vpd_pg80`)),
    () => readUdevSerial(root, name),
  ]
  for (const source of sources) {
    const serial = await source().then(cleanText, () => '')
    if (serial !== '') return serial
  }
  throw new Error(`neither ${BLOCK}/${name} nor udev has one`)
}

async function readUdevSerial(root: Root, name: string): Promise<string> {
  const number = (await root.readText(`${BLOCK}/${name}/dev`)).trim()
  return parseUdevProperty(await root.readText(`/run/udev/data/b${number}`), 'ID_SERIAL_SHORT') ?? ''
}
