import { constants, lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** Bytes. The largest file the agent needs is /proc/cpuinfo: about 2 KiB for each of at most some hundred threads. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
const CHUNK_BYTES = 16 * 1024
/** What the kernel follows before it says ELOOP (path_resolution(7)). */
const MAX_LINKS = 40

/**
 * The file system that facts are read from. Paths are those of the observed host, `/proc/meminfo`; links, absolute
 * ones too, are resolved inside the root. A link that names its own place by an absolute path, such as
 * `<rootfs>/proc -> /proc`, could only be a loop, so it stands for the running host's: that is how a root of
 * prepared files takes in the live /proc and /sys.
 *
 * Every function rejects with the errno error of node:fs (`code`, `message` with the path).
 */
export interface Root {
  /** At most 4 MiB. */
  readBytes: (path: string) => Promise<Buffer>
  /** As `readBytes`; what is not UTF-8 becomes U+FFFD. */
  readText: (path: string) => Promise<string>
  /** The target as it is written in the link. */
  readLink: (path: string) => Promise<string>
  /** Names, in no order. */
  list: (path: string) => Promise<string[]>
  /** When the thing itself was changed: of a link, not of what it points to. */
  modifiedAt: (path: string) => Promise<Date>
  /** The path, inside the root, that is left when all links are resolved. */
  realPath: (path: string) => Promise<string>
  /** Where the path lies on the running host, all links resolved: what a file watch needs. */
  hostPath: (path: string) => Promise<string>
  /** Whether the path is the running host's own, so that its kernel may be asked directly. */
  isLive: (path: string) => Promise<boolean>
}

interface Place {
  /** Inside the root. */
  path: string
  /** On the running host. */
  host: string
}

type Locate = (path: string, followLast: boolean) => Promise<Place>

/** Whether the error says that there is nothing at that path (and not that it cannot be read). */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** A view of `rootfs`, which may be relative. Nothing is read until asked for. */
export function createRoot(rootfs: string): Root {
  const base = resolve(rootfs)
  const locate =
    base === '/' ? locateOnHost : (path: string, followLast: boolean) => walk(base, path, followLast)
  const readBytes = async (path: string) => readBounded((await locate(path, true)).host)
  return {
    readBytes,
    readText: async (path) => (await readBytes(path)).toString('utf8'),
    readLink: async (path) => readlink((await locate(path, false)).host),
    list: async (path) => readdir((await locate(path, true)).host),
    modifiedAt: async (path) => (await lstat((await locate(path, false)).host)).mtime,
    realPath: async (path) => (base === '/' ? realpath(path) : (await locate(path, true)).path),
    hostPath: async (path) => (await locate(path, true)).host,
    isLive: async (path) => {
      const place = await locate(path, true)
      return place.host === place.path
    },
  }
}

/** The kernel resolves links by itself, in one system call instead of one for each part of the path. */
const locateOnHost: Locate = (path) => Promise.resolve({ path, host: path })

async function walk(base: string, path: string, followLast: boolean): Promise<Place> {
  const top: Place = { path: '/', host: base }
  let places: Place[] = []
  let links = 0
  const parts = split(path)
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '..') {
      places.pop()
      continue
    }
    const parent = places.at(-1) ?? top
    const place: Place = { path: join(parent.path, part), host: join(parent.host, part) }
    const target = parts.length === 0 && !followLast ? null : await linkTarget(place.host)
    if (target === place.path) {
      places.push({ path: place.path, host: place.path })
    } else if (target === null) {
      places.push(place)
    } else {
      links += 1
      if (links > MAX_LINKS) throw tooManyLinks(join(base, path))
      if (target.startsWith('/')) places = []
      parts.unshift(...split(target))
    }
  }
  return places.at(-1) ?? top
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

async function linkTarget(host: string): Promise<string | null> {
  try {
    return await readlink(host)
  } catch (error) {
    if (errorCode(error) === 'EINVAL') return null
    throw error
  }
}

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`ELOOP: too many symbolic links encountered, '${path}'`), { code: 'ELOOP' })
}

/** Files of /proc and /sys have no size before they are read. O_NONBLOCK: a FIFO in the way must not hang the agent. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const chunks: Buffer[] = []
    for (let total = 0; total <= MAX_FILE_BYTES;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      total += bytesRead
    }
  } finally {
    await file.close()
  }
  throw Object.assign(new Error(`EFBIG: larger than ${MAX_FILE_BYTES} bytes, '${path}'`), { code: 'EFBIG' })
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
