import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { firstClosedDirectory, type SystemUser } from './system-user.ts'

/** The port only names the socket file: nothing listens on the network. */
export const PORT = 5432

/** sun_path of unix(7) is 108 bytes, with the NUL. */
const LONGEST_SOCKET_PATH = 107

/** Where everything of one embedded PostgreSQL is. */
export interface Layout {
  root: string
  data: string
  sockets: string
  copies: string
  passwordFile: string
  logFile: string
  /** In the command line of each process of this PostgreSQL, and of no other. */
  clusterName: string
}

/** `stateDirectory` without symbolic links: the names are the same for every server on it. */
export function layoutOf(stateDirectory: string): Layout {
  const root = join(stateDirectory, 'postgres')
  const id = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return {
    root,
    data: join(root, 'data'),
    sockets: socketDirectory(root, id),
    copies: join(root, 'software'),
    passwordFile: join(root, 'password'),
    logFile: join(root, 'postgres.log'),
    clusterName: `crystal_forge_${id}`,
  }
}

/**
 * Makes the directory of everything, which `user`, whom PostgreSQL runs as, may pass; what is above is not ours to
 * change, so that a closed directory there is an error that names it.
 */
export async function prepareDirectories({ root }: Layout, user: SystemUser | null): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o711 })
  if (user !== null) {
    await chmod(root, 0o711)
    const closed = await firstClosedDirectory(root, user)
    if (closed !== null) {
      throw new Error(
        `PostgreSQL runs as user ${user.name}, who may not pass ${closed}: allow it (chmod o+x), or set [server] ` +
          'state_dir to another place',
      )
    }
  }
}

/** Below the state directory, or in /tmp when the path of the socket would be too long there. */
function socketDirectory(root: string, id: string): string {
  const directory = join(root, 'run')
  if (Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}`)) <= LONGEST_SOCKET_PATH) return directory
  return `/tmp/crystal-forge-${id}`
}

/**
 * Makes the directory of the socket, which only PostgreSQL's user may enter. In /tmp another user may have made it first,
 * and is not trusted with passwords.
 */
export async function prepareSocketDirectory({ sockets }: Layout, user: SystemUser | null): Promise<void> {
  try {
    await mkdir(sockets, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
  const stats = await lstat(sockets)
  const ourselves = process.geteuid?.()
  if (!stats.isDirectory() || ![ourselves, user?.uid].includes(stats.uid)) {
    throw new Error(`${sockets} belongs to another user (uid ${stats.uid}): remove it`)
  }
  if (user !== null && stats.uid !== user.uid) await chown(sockets, user.uid, user.gid)
}
