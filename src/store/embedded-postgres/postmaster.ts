import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { type Layout, PORT } from './layout.ts'

/**
 * Whether a PostgreSQL works on the data directory. `leaving`: its main process is gone, others of it are not yet, and
 * nothing may be started beside them.
 */
export type PostmasterState = { state: 'running'; pid: number } | { state: 'leaving' } | { state: 'absent' }

/**
 * Reads postmaster.pid and /proc. The number alone says little: after a reboot it belongs to another process, and a
 * killed postmaster stays a zombie under a PID 1 that does not reap. Command lines tell; they are readable also where
 * the working directory of another user's process is not (root in a container, without CAP_SYS_PTRACE).
 */
export async function readPostmaster(layout: Layout): Promise<PostmasterState> {
  const pid = await readPid(join(layout.data, 'postmaster.pid'))
  if (pid !== null && (await isPostmaster(pid, layout))) return { state: 'running', pid }
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const command = await commandLine(Number(entry))
    if (isPostgres(command) && command.includes(layout.clusterName)) return { state: 'leaving' }
  }
  return { state: 'absent' }
}

/**
 * Removes lock files whose process is a zombie or something else by now: PostgreSQL itself overrides them only when no
 * process has the number. Only for when nothing of PostgreSQL runs. Returns the numbers.
 */
export async function removeDeadLocks(layout: Layout): Promise<number[]> {
  const files = [join(layout.data, 'postmaster.pid'), join(layout.sockets, `.s.PGSQL.${PORT}.lock`)]
  const removed: number[] = []
  for (const file of files) {
    const pid = await readPid(file)
    if (pid === null || !processExists(pid) || (await isPostmaster(pid, layout))) continue
    await rm(file, { force: true })
    removed.push(pid)
  }
  return removed
}

/** Whether there is a process with this id, be it a zombie. */
function processExists(pid: number): boolean {
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

async function isPostmaster(pid: number, { data, clusterName }: Layout): Promise<boolean> {
  const command = await commandLine(pid)
  // The second: someone started it by hand.
  return isPostgres(command) && (command.includes(clusterName) || command.includes(data))
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
