import { randomBytes } from 'node:crypto'
import { link, open, rename, rm, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface FileOptions {
  /** Permission bits, whatever the umask. */
  mode: number
}

/** A file whose bytes are on disk under a temporary name beside its own. */
export interface PreparedFile {
  /** Gives the file its name. With `replace: false` an existing file is an error with code `EEXIST`. */
  publish: (options: { replace: boolean }) => Promise<void>
  /** Removes the temporary file; does nothing once it is published. */
  discard: () => Promise<void>
}

/** Writes `data` to a new file beside `path` and syncs it. Nothing is at `path` until it is published. */
export async function prepareFile(
  path: string,
  data: string | Uint8Array,
  { mode }: FileOptions,
): Promise<PreparedFile> {
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  await writeSynced(temporary, data, mode)
  return {
    publish: async ({ replace }) => {
      if (replace) {
        await rename(temporary, path)
      } else {
        // link(2) fails where a file is; rename(2) would replace it.
        await link(temporary, path)
        await unlink(temporary)
      }
      await syncDirectory(directory)
    },
    discard: () => rm(temporary, { force: true }),
  }
}

/**
 * Replaces the file at `path` by `data`, so that a crash at any moment leaves the old content or the new: temporary
 * file in the same directory, fsync, rename, fsync of the directory.
 */
export async function writeFileDurably(
  path: string,
  data: string | Uint8Array,
  options: FileOptions,
): Promise<void> {
  const prepared = await prepareFile(path, data, options)
  try {
    await prepared.publish({ replace: true })
  } catch (error) {
    await prepared.discard()
    throw error
  }
}

async function writeSynced(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.chmod(mode)
    await file.writeFile(data)
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** Makes names that were created, renamed or removed in `directory` durable (fsync(2), DESCRIPTION). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
