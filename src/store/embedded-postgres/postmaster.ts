import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import type { Layout } from './layout.ts'

/**
 * Whether a PostgreSQL server works on a data directory. `leaving`: its main process is gone, others of it are not yet;
 * `dead`: postmaster.pid names a process that is something else, or a zombie.
 */
export type PostmasterState =
  | { state: 'absent' }
  | { state: 'running'; pid: number }
  | { state: 'leaving' }
  | { state: 'dead'; pid: number }

/**
 * Reads postmaster.pid and /proc. The number alone says little: after a reboot it belongs to another process, and a
 * killed postmaster stays a zombie under a PID 1 that does not reap. Command lines tell; they are readable also where
 * the working directory of another user's process is not (root in a container, without CAP_SYS_PTRACE).
 */
export async function readPostmaster({ data, clusterName }: Layout): Promise<PostmasterState> {
  const pid = await readPid(join(data, 'postmaster.pid'))
  if (pid === null) return { state: 'absent' }
  const command = await commandLine(pid)
  // The second: someone started it by hand.
  if (isPostgres(command) && (command.includes(clusterName) || command.includes(data))) {
    return { state: 'running', pid }
  }
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const other = await commandLine(Number(entry))
    if (isPostgres(other) && other.includes(clusterName)) return { state: 'leaving' }
  }
  return { state: 'dead', pid }
}

/** Whether there is a process with this id, be it a zombie. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** The first line is the process id, negative when it runs in single-user mode; the file may not be written yet. */
async function readPid(file: string): Promise<number | null> {
  try {
    const pid = Math.abs(Number.parseInt(await readFile(file, 'utf8'), 10))
    return Number.isNaN(pid) ? null : pid
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** The main process keeps the arguments it was started with; the others put `postgres: <cluster name>: …` there. */
function isPostgres(command: string): boolean {
  return /^(\S*\/)?postgres[\0:]/.test(command)
}

/** NUL-separated; empty for a zombie and for no process. */
async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
