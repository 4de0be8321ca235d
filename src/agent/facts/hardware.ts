import type { Fingerprint } from '../../protocol/facts.ts'
import type { Root } from '../root.ts'
import { parseCpuInfo } from './cpuinfo.ts'
import { readDisks } from './disks.ts'
import { parseMemTotal } from './meminfo.ts'
import type { Notes } from './notes.ts'
import { readFirst } from './read.ts'
import { readRootFilesystemUuid } from './root-filesystem.ts'

type Hardware = Fingerprint['hardware']

const DMI = '/sys/class/dmi/id'
/** Boards without DMI describe themselves in a device tree (Devicetree specification, 2.3.2 `model`). */
const DEVICE_TREE = '/proc/device-tree'

export async function readHardware(root: Root, notes: Notes): Promise<Hardware> {
  const text = (fact: string, paths: string[]) => notes.text(`hardware.${fact}`, () => readFirst(root, paths))
  const [manufacturer, productName, productUuid, boardSerial, chassisSerial, biosVersion] = await Promise.all(
    [
      text('manufacturer', [`${DMI}/sys_vendor`]),
      text('product_name', [`${DMI}/product_name`, `${DEVICE_TREE}/model`]),
      text('product_uuid', [`${DMI}/product_uuid`]),
      text('board_serial', [`${DMI}/board_serial`, `${DEVICE_TREE}/serial-number`]),
      text('chassis_serial', [`${DMI}/chassis_serial`]),
      text('bios_version', [`${DMI}/bios_version`]),
    ],
  )
  const [cpu, memory, uuid, disks] = await Promise.all([
    readCpu(root, notes),
    notes.attempt('hardware.memory_bytes', async () => parseMemTotal(await root.readText('/proc/meminfo'))),
    notes.text('hardware.root_filesystem_uuid', () => readRootFilesystemUuid(root)),
    notes.attempt('hardware.disks', () => readDisks(root, notes)),
  ])
  return {
    manufacturer,
    product_name: productName,
    product_uuid: productUuid,
    board_serial: boardSerial,
    chassis_serial: chassisSerial,
    bios_version: biosVersion,
    cpu,
    memory_bytes: memory,
    root_filesystem_uuid: uuid,
    disks,
  }
}

async function readCpu(root: Root, notes: Notes): Promise<Hardware['cpu']> {
  const info = await notes.attempt('hardware.cpu', async () =>
    parseCpuInfo(await root.readText('/proc/cpuinfo')),
  )
  if (info === null) return { brand: null, cores: null, threads: null, microcode: null }
  return {
    brand: await notes.text('hardware.cpu.brand', () => info.brand ?? missing('model name')),
    cores: await notes.attempt('hardware.cpu.cores', () => info.cores ?? countCores(root, info.threads)),
    threads: info.threads,
    microcode: await notes.text('hardware.cpu.microcode', () => info.microcode ?? missing('microcode')),
  }
}

function missing(field: string): never {
  throw new Error(`/proc/cpuinfo has no ${field}`)
}

/** Where /proc/cpuinfo names no cores, each thread is one unless the kernel shares them out (smt/active). */
async function countCores(root: Root, threads: number): Promise<number> {
  const path = '/sys/devices/system/cpu/smt/active'
  if ((await root.readText(path)).trim() === '0') return threads
  throw new Error(`/proc/cpuinfo names no cores, and ${path} says that they are shared`)
}
