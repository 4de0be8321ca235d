import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import { syncDirectory, writeFileDurably } from '../lib/files.ts'
import { sha256Id } from '../protocol/digests.ts'

/** A report's file: 16 digits of its sequence, then the hexadecimal part of its id. */
const FILE_NAME = /^(\d{16})-([0-9a-f]{64})\.json$/
const TEMPORARY = /\.tmp$/
const GENERATION = /^[1-9]\d{0,8}$/

export interface SpoolFile {
  id: string
  sequence: number
}

/**
 * The spool on disk: `<directory>/<generation>/<sequence>-<id>.json`, each the exact body of a report, so that its
 * name tells whether it is whole. All of them are replaced at once by a new generation, which one rename makes valid.
 */
export interface SpoolFiles {
  /** Removes what a crash left half done, and lists the reports in order. */
  recover: () => Promise<SpoolFile[]>
  /** The body, or null when the file is not there or not whole. */
  read: (file: SpoolFile) => Promise<Buffer | null>
  write: (file: SpoolFile, body: Buffer) => Promise<void>
  remove: (file: SpoolFile) => Promise<void>
  /** Moves the file, where there is one, to the directory `to`. */
  moveTo: (file: SpoolFile, to: string) => Promise<void>
  /** Writes `reports` as the whole content of the spool: a crash leaves all of the old ones or all of the new. */
  replaceAll: (reports: readonly { file: SpoolFile; body: Buffer }[]) => Promise<void>
}

export function createSpoolFiles(directory: string): SpoolFiles {
  let generation = 1
  const current = (): string => join(directory, String(generation))
  const pathOf = (file: SpoolFile): string => join(current(), fileName(file))

  return {
    recover: async () => {
      await makeDirectory(directory)
      const names = await readdir(directory)
      generation = Math.max(1, ...names.filter((name) => GENERATION.test(name)).map(Number))
      const outdated = names.filter((name) => name !== String(generation))
      await Promise.all(outdated.map((name) => rm(join(directory, name), { recursive: true, force: true })))
      await makeDirectory(current())
      const files = await readdir(current())
      const unfinished = files.filter((name) => TEMPORARY.test(name))
      await Promise.all(unfinished.map((name) => rm(join(current(), name), { force: true })))
      return files
        .map(parseFileName)
        .filter((file) => file !== null)
        .sort((a, b) => a.sequence - b.sequence)
    },
    read: async (file) => {
      try {
        const body = await readFile(pathOf(file))
        return sha256Id(body) === file.id ? body : null
      } catch (error) {
        if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EIO') return null
        throw new Error(`cannot read the spooled report ${pathOf(file)}`, { cause: error })
      }
    },
    write: async (file, body) => {
      await makeDirectory(current())
      await writeFileDurably(pathOf(file), body, { mode: 0o600 })
    },
    // Not synced: a file that comes back after a power cut is sent again, and the server knows it.
    remove: (file) => rm(pathOf(file), { force: true }),
    moveTo: async (file, to) => {
      await makeDirectory(to)
      try {
        await rename(pathOf(file), join(to, fileName(file)))
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error
      }
    },
    replaceAll: async (reports) => {
      const next = join(directory, String(generation + 1))
      const unfinished = `${next}.tmp`
      await rm(unfinished, { recursive: true, force: true })
      await makeDirectory(unfinished)
      for (const { file, body } of reports) {
        await writeFileDurably(join(unfinished, fileName(file)), body, { mode: 0o600 })
      }
      await rename(unfinished, next)
      await syncDirectory(directory)
      const old = current()
      generation += 1
      await rm(old, { recursive: true, force: true })
    },
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

function fileName({ sequence, id }: SpoolFile): string {
  return `${String(sequence).padStart(16, '0')}-${id.slice('sha256:'.length)}.json`
}

function parseFileName(name: string): SpoolFile | null {
  const match = FILE_NAME.exec(name)
  return match === null ? null : { sequence: Number(match[1]), id: `sha256:${match[2]}` }
}
