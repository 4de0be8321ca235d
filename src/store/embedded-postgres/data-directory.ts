import { randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { prepareFile, syncDirectory } from '../../lib/files.ts'
import { runProcess } from '../../lib/process.ts'
import { Secret } from '../../lib/secret.ts'
import type { Binaries } from './binaries.ts'
import { createScratchDirectory, renameUnlessTaken } from './scratch.ts'
import type { SystemUser } from './system-user.ts'

/** initdb on a slow disk takes seconds; this is for one that hangs. */
const INITDB_TIMEOUT_MS = 300_000

/** The name of the superuser of the embedded PostgreSQL, and of its database. */
export const CLUSTER_NAME = 'crystal_forge'

export interface NewDataDirectory {
  binaries: Binaries
  user: SystemUser | null
  password: Secret
  /** Whether to wait until it is on the disk. */
  durable: boolean
}

/** The major version that made the data directory, or null when there is none yet. */
export async function dataDirectoryVersion(data: string): Promise<number | null> {
  try {
    return Number.parseInt(await readFile(join(data, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
  try {
    if ((await readdir(data)).length === 0) return null
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
  throw new Error(`${data} is not a PostgreSQL data directory (it has no file PG_VERSION): move it away`)
}

/**
 * Makes the data directory (UTF-8, C collation, checksums, passwords by scram-sha-256). It gets its name when initdb
 * is done, so that an interrupted one is made again. When two processes make it at once, one of the two is kept.
 */
export async function createDataDirectory(
  data: string,
  { binaries, user, password, durable }: NewDataDirectory,
): Promise<void> {
  const parent = join(data, '..')
  const scratch = await createScratchDirectory(parent, 0o711)
  const made = join(scratch, basename(data))
  const passwordFile = join(scratch, 'password')
  try {
    await mkdir(made, { mode: 0o700 })
    await writeFile(passwordFile, password.reveal(), { mode: 0o600 })
    if (user !== null) {
      await chown(made, user.uid, user.gid)
      await chown(passwordFile, user.uid, user.gid)
    }
    const args = [`--pgdata=${made}`, `--pwfile=${passwordFile}`, ...(durable ? [] : ['--no-sync'])]
    await runInitdb(binaries, user, args)
    await renameUnlessTaken(made, data)
    await syncDirectory(parent)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function runInitdb({ directory }: Binaries, user: SystemUser | null, args: string[]): Promise<void> {
  const options = [
    `--username=${CLUSTER_NAME}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // A collation of the C library changes with it, and corrupts the indexes that were made before.
    '--no-locale',
    '--data-checksums',
  ]
  const { code, stdout, stderr } = await runProcess(join(directory, 'initdb'), [...options, ...args], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    timeoutMs: INITDB_TIMEOUT_MS,
    maxOutputBytes: 100_000,
    ...(user !== null && { uid: user.uid, gid: user.gid }),
  })
  if (code !== 0) throw new Error(`initdb failed: ${stderr.trim() || stdout.trim()}`)
}

/** The password in the file, which is made (0600) when missing. */
export async function readOrCreatePassword(file: string): Promise<Secret> {
  const existing = await readPassword(file)
  if (existing !== null) return existing
  const prepared = await prepareFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  try {
    await prepared.publish({ replace: false })
  } catch (error) {
    await prepared.discard()
    if (errorCode(error) !== 'EEXIST') throw error
  }
  const password = await readPassword(file)
  if (password === null) throw new Error(`${file} vanished`)
  return password
}

async function readPassword(file: string): Promise<Secret | null> {
  try {
    return new Secret((await readFile(file, 'utf8')).trim())
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
