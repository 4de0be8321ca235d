import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readlink, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A pretended NixOS machine: its own systems and profile, on this machine's real /proc, /sys and /dev. */
export interface DemoHost {
  name: string
  /** Its file system, for `[client] rootfs`. */
  root: string
}

const OS_RELEASE = `NAME=NixOS
ID=nixos
VERSION_ID="25.11"
BUILD_ID="25.11.20251120.demo"
PRETTY_NAME="NixOS 25.11 (demo)"
`

const NIX_BASE32 = '0123456789abcdfghijklmnpqrsvwxyz'

/** Makes a host below `directory`, running, booted into and with the profile of its first generation. */
export async function createDemoHost(directory: string, name: string): Promise<DemoHost> {
  const root = join(directory, 'hosts', name)
  for (const path of ['etc', 'run', 'nix/store', 'nix/var/nix/profiles'])
    await mkdir(join(root, path), { recursive: true })
  for (const path of ['/proc', '/sys', '/dev']) await symlink(path, join(root, path))
  await writeFile(join(root, 'etc/hostname'), `${name}\n`)
  await writeFile(join(root, 'etc/os-release'), OS_RELEASE)
  await writeFile(join(root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`)
  const host = { name, root }
  const first = await buildGeneration(host, 1, handMade(host, 1))
  await link(host, '/run/booted-system', first)
  await switchTo(host, 1, first)
  return host
}

/**
 * What `nixos-rebuild switch` leaves behind: a new generation, the profile first, then the running system. Without `path`
 * it is a system that somebody made by hand. Resolves with the path.
 */
export async function switchDemoHost(host: DemoHost, path?: string): Promise<string> {
  const generation = (await currentGeneration(host)) + 1
  const system = await buildGeneration(host, generation, path ?? handMade(host, generation))
  await switchTo(host, generation, system)
  return system
}

async function switchTo(host: DemoHost, generation: number, path: string): Promise<void> {
  await symlink(path, join(host.root, `nix/var/nix/profiles/system-${generation}-link`))
  await link(host, '/nix/var/nix/profiles/system', `system-${generation}-link`)
  await link(host, '/run/current-system', path)
}

async function currentGeneration(host: DemoHost): Promise<number> {
  const target = await readlink(join(host.root, 'nix/var/nix/profiles/system'))
  return Number(/^system-(\d+)-link$/.exec(target)?.[1] ?? 0)
}

/** A system as far as an agent looks at it. Every third generation brings another kernel, and so needs a reboot. */
async function buildGeneration(host: DemoHost, generation: number, path: string): Promise<string> {
  const kernel = `linux-6.12.${Math.floor(generation / 3)}`
  const inside = join(host.root, path)
  if ((await mkdir(inside, { recursive: true })) === undefined) return path
  await symlink(`/nix/store/${storeHash(kernel)}-${kernel}/bzImage`, join(inside, 'kernel'))
  await symlink(`/nix/store/${storeHash(`initrd-${kernel}`)}-initrd-${kernel}/initrd`, join(inside, 'initrd'))
  await symlink(
    `/nix/store/${storeHash(`modules-${kernel}`)}-${kernel}-modules`,
    join(inside, 'kernel-modules'),
  )
  await writeFile(join(inside, 'kernel-params'), 'loglevel=4\n')
  await writeFile(join(inside, 'nixos-version'), '25.11.20251120.demo')
  return path
}

function handMade(host: DemoHost, generation: number): string {
  const name = `nixos-system-${host.name}-25.11.${generation}`
  return `/nix/store/${storeHash(name)}-${name}`
}

function storeHash(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 32)
  return Array.from(bytes, (byte) => NIX_BASE32[byte % 32]).join('')
}

/** Replaces a link as Nix does: a new one beside it, renamed over it. */
async function link(host: DemoHost, path: string, target: string): Promise<void> {
  const temporary = join(host.root, `${path}.${randomBytes(4).toString('hex')}`)
  await symlink(target, temporary)
  await rename(temporary, join(host.root, path))
}

/** The host of this name in a demo's directory. Throws an Error that names those there are. */
export async function findDemoHost(directory: string, name: string): Promise<DemoHost> {
  const names = await readdir(join(directory, 'hosts'))
  if (!names.includes(name)) throw new Error(`the demo has no host ${name}; it has ${names.join(', ')}`)
  return { name, root: join(directory, 'hosts', name) }
}
