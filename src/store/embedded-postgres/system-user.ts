import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from '../../lib/errors.ts'

/** A user of the machine. */
export interface SystemUser {
  name: string
  uid: number
  gid: number
}

/** In order of preference. `nobody` is everywhere, and initdb wants a user that the machine knows by name. */
const CANDIDATES = ['crystal_forge', 'crystal-forge', 'postgres', 'nobody']

/**
 * Whom PostgreSQL, which refuses to run as root, runs as: null (ourselves) unless we are root; then the owner of an
 * existing data directory, else the first of the candidates that /etc/passwd knows.
 */
export async function choosePostgresUser(dataDirectory: string): Promise<SystemUser | null> {
  if (process.geteuid?.() !== 0) return null
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'))
  const owner = await ownerOf(dataDirectory)
  if (owner !== null) return users.find(({ uid }) => uid === owner.uid) ?? owner
  for (const name of CANDIDATES) {
    const user = users.find((each) => each.name === name)
    if (user !== undefined) return user
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and /etc/passwd knows none of the users ${CANDIDATES.join(', ')}: ` +
      'create the user crystal_forge, or configure a [database]',
  )
}

/** The first directory on the way to `path` that `user` may not pass, or null. */
export async function firstClosedDirectory(path: string, user: SystemUser): Promise<string | null> {
  const ancestors: string[] = []
  for (let directory = await realpath(path); ; directory = dirname(directory)) {
    ancestors.unshift(directory)
    if (directory === dirname(directory)) break
  }
  for (const directory of ancestors) {
    const { uid, gid, mode } = await stat(directory)
    const searchBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & searchBit) === 0) return directory
  }
  return null
}

async function ownerOf(path: string): Promise<SystemUser | null> {
  try {
    const { uid, gid } = await stat(path)
    return { name: `uid ${uid}`, uid, gid }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** passwd(5) */
function parsePasswd(text: string): SystemUser[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
