import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { syncDirectory } from '../../lib/files.ts'
import { git, type GitRun } from './git.ts'
import { GitError } from './git-error.ts'

export type ObjectFormat = 'sha1' | 'sha256'

export const objectFormatOf = (sha: string): ObjectFormat => (sha.length === 64 ? 'sha256' : 'sha1')

/** The format of the repository's objects; null when there is none, or one that Git cannot open. */
export async function readObjectFormat(directory: string, run: GitRun): Promise<ObjectFormat | null> {
  try {
    const { stdout } = await git(['rev-parse', '--show-object-format'], { ...run, directory })
    return stdout.trim() === 'sha256' ? 'sha256' : 'sha1'
  } catch (error) {
    if (error instanceof GitError && error.kind === 'damaged') return null
    throw error
  }
}

/** A new empty bare repository beside `directory`, that takes its name when it is complete. */
export async function createBeside(directory: string, format: ObjectFormat, run: GitRun): Promise<string> {
  const fresh = `${directory}.new-${randomBytes(6).toString('hex')}`
  await mkdir(dirname(directory), { recursive: true })
  const init = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]
  await git(init, { ...run, directory: fresh })
  return fresh
}

/** Gives `fresh` the name `directory`; what had it is removed. When another process does the same, one of the two wins. */
export async function takePlace(fresh: string, directory: string): Promise<void> {
  const old = `${directory}.old-${randomBytes(6).toString('hex')}`
  await rename(directory, old).catch(ignoring('ENOENT'))
  await rename(fresh, directory).catch(ignoring('ENOTEMPTY', 'EEXIST'))
  await syncDirectory(dirname(directory))
  await rm(old, { recursive: true, force: true })
}

/** Far longer than a git of ours holds the lock of a ref, or of a file beside HEAD. */
const LOCK_MS = 60_000

/**
 * Removes what processes that were killed have left behind: lock files and half-written packs within the repository, and
 * whole repositories beside it. No git of ours runs longer than `timeoutMs`, so what is older belongs to none.
 */
export async function removeLeftovers(directory: string, timeoutMs: number): Promise<void> {
  const parent = dirname(directory)
  const beside = (await namesIn(parent)).filter((name) =>
    ['.new-', '.old-'].some((mark) => name.startsWith(basename(directory) + mark)),
  )
  const within = (await namesIn(directory, { recursive: true })).filter((name) =>
    /\.lock$|^tmp_/.test(basename(name)),
  )
  for (const path of [
    ...beside.map((name) => join(parent, name)),
    ...within.map((name) => join(directory, name)),
  ]) {
    const found = await stat(path).catch(ignoring('ENOENT'))
    const isLock = path.endsWith('.lock') && !path.startsWith(join(directory, 'objects'))
    const limit = isLock ? Math.min(LOCK_MS, timeoutMs) : timeoutMs
    if (found && Date.now() - found.mtimeMs > limit) await rm(path, { recursive: true, force: true })
  }
}

function namesIn(
  directory: string,
  options: { recursive: boolean } = { recursive: false },
): Promise<string[]> {
  return readdir(directory, options).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return []
    throw error
  })
}

/** Another process was first. */
function ignoring(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(errorCode(error) ?? '')) throw error
  }
}
