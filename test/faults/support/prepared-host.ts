import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeBase64, generateSeed, parsePrivateKey, type PrivateKey } from '../../../src/protocol/keys.ts'
import { unpackTree } from '../../agent/unpack-tree.ts'
import type { Random } from './random.ts'

/** The files of a NixOS machine, which can be switched to another system at any time. */
export interface PreparedHost {
  hostname: string
  rootfs: string
  stateDir: string
  key: PrivateKey
  keyPath: string
  /** What `nixos-rebuild switch` leaves behind: a new generation, the profile first, then the running system. */
  switchSystem: () => Promise<void>
  /** Switches every 20 to 60 ms, until told to stop. */
  startSwitching: () => void
  stopSwitching: () => Promise<void>
  /** Another boot, into the system of the profile. */
  reboot: () => Promise<void>
  /** What runs now. */
  system: () => { current: string; generation: number }
}

const SYSTEMS = 8
const PROFILES = 'nix/var/nix/profiles'

/** Lays a host out below `directory` and its root in a place of its own; both are gone when the test is over. */
export async function createPreparedHost(
  directory: string,
  { hostname, random }: { hostname: string; random: Random },
): Promise<PreparedHost> {
  const rootfs = await unpackTree('vm')
  const stateDir = join(directory, 'agents', hostname)
  const keyPath = join(directory, `${hostname}.key`)
  const seed = encodeBase64(generateSeed())
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  await writeFile(keyPath, `${seed}\n`, { mode: 0o600 })
  await writeFile(join(rootfs, 'etc/hostname'), `${hostname}\n`)
  await writeFile(join(rootfs, 'etc/machine-id'), `${randomUUID().replaceAll('-', '')}\n`)
  const writeBootId = (): Promise<void> =>
    writeFile(join(rootfs, 'proc/sys/kernel/random/boot_id'), `${randomUUID()}\n`)
  await writeBootId()

  const systems = Array.from({ length: SYSTEMS }, (_, index) => systemPath(hostname, index))
  for (const [index, path] of systems.entries()) await buildSystem(rootfs, path, `6.12.${index % 3}`)
  let running = 0
  let generation = 3

  const switchSystem = async (): Promise<void> => {
    running = (running + random.integer(1, SYSTEMS - 1)) % SYSTEMS
    generation += 1
    await symlink(systems[running] ?? '', join(rootfs, `${PROFILES}/system-${generation}-link`))
    await replaceLink(join(rootfs, `${PROFILES}/system`), `system-${generation}-link`)
    await rm(join(rootfs, `${PROFILES}/system-${generation - 2}-link`), { force: true })
    await replaceLink(join(rootfs, 'run/current-system'), systems[running] ?? '')
  }

  let switching: { ended: Promise<void>; enough: AbortController } | undefined
  const switchUntil = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await switchSystem()
      await delay(random.integer(20, 60))
    }
  }

  await switchSystem()
  await replaceLink(join(rootfs, 'run/booted-system'), systems[running] ?? '')
  return {
    hostname,
    rootfs,
    stateDir,
    key: parsePrivateKey(seed),
    keyPath,
    switchSystem,
    startSwitching: () => {
      const enough = new AbortController()
      switching = { enough, ended: switchUntil(enough.signal) }
    },
    stopSwitching: async () => {
      switching?.enough.abort()
      await switching?.ended
    },
    reboot: async () => {
      await writeBootId()
      await replaceLink(join(rootfs, 'run/booted-system'), systems[running] ?? '')
    },
    system: () => ({ current: systems[running] ?? '', generation }),
  }
}

function systemPath(hostname: string, index: number): string {
  return `/nix/store/${storeHash(index)}-nixos-system-${hostname}-25.11.${index}`
}

/** As far as an agent looks at it. */
async function buildSystem(rootfs: string, path: string, kernel: string): Promise<void> {
  await mkdir(join(rootfs, path), { recursive: true })
  const part = (name: string): string => `/nix/store/${storeHash(Number(kernel.at(-1)))}-${name}-${kernel}`
  await symlink(`${part('linux')}/bzImage`, join(rootfs, path, 'kernel'))
  await symlink(`${part('initrd')}/initrd`, join(rootfs, path, 'initrd'))
  await symlink(part('modules'), join(rootfs, path, 'kernel-modules'))
  await writeFile(join(rootfs, path, 'kernel-params'), 'loglevel=4\n')
  await writeFile(join(rootfs, path, 'nixos-version'), '25.11.20251120.abc1234')
}

function storeHash(index: number): string {
  return String(index).padStart(32, '0')
}

async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = join(dirname(path), `.link-${process.hrtime.bigint()}`)
  await symlink(target, temporary)
  await rename(temporary, path)
}
