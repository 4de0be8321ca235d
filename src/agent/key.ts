import { mkdir, open, realpath, type FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import { writeFileDurably } from '../lib/files.ts'
import { encodeBase64, generateSeed, parsePrivateKey, type PrivateKey } from '../protocol/keys.ts'
import type { AgentLogger } from './log.ts'

export interface KeyOptions {
  /** `[client] private_key`; null for `host.key` in the state directory. */
  path: string | null
  stateDir: string
  /** With an enrolment token a missing key is made. */
  hasToken: boolean
  /** `$CREDENTIALS_DIRECTORY`: systemd's copies, which can be readable for the group (systemd.exec(5)). */
  credentialsDirectory: string | undefined
  log: AgentLogger
}

/**
 * The agent's private key. Where the configured file is missing, the one in the state directory is taken, and made
 * when there is an enrolment token. Throws when there is none, it is damaged, or others can read it.
 */
export async function loadKey(options: KeyOptions): Promise<PrivateKey> {
  const own = join(options.stateDir, 'host.key')
  const paths = [...new Set([options.path ?? own, own])]
  for (const path of paths) {
    const key = await readKey(path, options.credentialsDirectory)
    if (key !== null) return key
  }
  if (!options.hasToken) {
    throw new Error(
      `there is no private key at ${paths.join(' or ')}: make one with "crystal-forge keygen -f ${paths[0]}", ` +
        'or configure an enrollment_token_file',
    )
  }
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 })
  const seed = encodeBase64(generateSeed())
  await writeFileDurably(own, `${seed}\n`, { mode: 0o600 })
  const key = parsePrivateKey(seed)
  options.log.info({ path: own, key_id: key.id }, 'made a private key')
  return key
}

async function readKey(path: string, credentialsDirectory: string | undefined): Promise<PrivateKey | null> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw new Error(`cannot open the private key ${path}`, { cause: error })
  }
  try {
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0 && !(await isInside(path, credentialsDirectory))) {
      const permissions = (mode & 0o777).toString(8).padStart(4, '0')
      throw new Error(
        `the private key ${path} has mode ${permissions}, so others than its owner can use it: ` +
          'run "chmod 600" on it, and consider it known to whoever could read it',
      )
    }
    return parsePrivateKey(await file.readFile('utf8'))
  } catch (error) {
    throw new Error(`the private key ${path} cannot be used`, { cause: error })
  } finally {
    await file.close()
  }
}

async function isInside(path: string, directory: string | undefined): Promise<boolean> {
  if (directory === undefined || directory === '') return false
  return (await realpath(path)).startsWith((await realpath(directory)) + sep)
}
