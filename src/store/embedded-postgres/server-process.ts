import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { type Layout, PORT } from './layout.ts'
import type { SystemUser } from './system-user.ts'

/** The log is put aside at a start when it is longer; one old log is kept. */
const LONGEST_LOG = 10 * 1024 * 1024
/** As much of the log as an error message can carry. */
const LOG_TAIL = 2000

/** A main process of PostgreSQL that this process started. */
export interface ServerProcess {
  hasExited: () => boolean
  /** Fast shutdown (postgres(1)). */
  interrupt: () => void
  /** The end of what this start has logged. */
  readLog: () => Promise<string>
}

export interface ServerProcessOptions {
  binaries: Binaries
  user: SystemUser | null
  /** Settings of PostgreSQL, over those of postgresql.conf. */
  settings: Readonly<Record<string, string>>
}

/**
 * Starts PostgreSQL on the data directory, in a session of its own: a Ctrl-C in the terminal is for the server, which
 * then stops PostgreSQL in its turn. It is ready when it answers, not when this returns.
 */
export async function spawnServer(layout: Layout, options: ServerProcessOptions): Promise<ServerProcess> {
  const settings = {
    listen_addresses: '',
    // a list, in which quotes keep commas and spaces together
    unix_socket_directories: `"${layout.sockets.replaceAll('"', '""')}"`,
    port: String(PORT),
    cluster_name: layout.clusterName,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    ...options.settings,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  await putAsideLongLog(layout.logFile)
  const log = await open(layout.logFile, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600)
  const { size: logStart } = await log.stat()
  try {
    const child = spawn(join(options.binaries.directory, 'postgres'), ['-D', layout.data, ...args], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', log.fd, log.fd],
      ...(options.user !== null && { uid: options.user.uid, gid: options.user.gid }),
    })
    const spawned = Promise.withResolvers<void>()
    child.once('spawn', spawned.resolve)
    child.once('error', (error) => spawned.reject(new Error('cannot start PostgreSQL', { cause: error })))
    await spawned.promise
    // Whoever waits for PostgreSQL says so; that it runs is no reason for this process to.
    child.unref()
    return {
      hasExited: () => child.exitCode !== null || child.signalCode !== null,
      interrupt: () => child.kill('SIGINT'),
      readLog: () => readTail(layout.logFile, logStart),
    }
  } finally {
    await log.close()
  }
}

async function putAsideLongLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  )
  if (size > LONGEST_LOG) await rename(file, `${file}.1`)
}

async function readTail(file: string, from: number): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const start = Math.max(from, size - LOG_TAIL)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LOG_TAIL), 0, LOG_TAIL, start)
    return buffer.toString('utf8', 0, bytesRead).trim()
  } finally {
    await handle.close()
  }
}
