import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { errorCode } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { clientConfig, type ConnectionOptions } from '../database.ts'
import { type Layout, prepareSocketDirectory } from './layout.ts'
import { readPostmaster, removeDeadLocks } from './postmaster.ts'
import { type ServerProcess, type ServerProcessOptions, spawnServer } from './server-process.ts'

/** Recovery after a crash takes as long as there is to replay; what takes longer than this is not only slow. */
const START_TIMEOUT_MS = 600_000
/** How long one start may fail over what a killed PostgreSQL left behind, which goes away by itself. */
const LEFTOVER_TIMEOUT_MS = 15_000
const POLL_MS = 25

const INVALID_PASSWORD = '28P01'
const LEFTOVERS = /lock file .* already exists|shared memory block .* in use/

export interface BringUpOptions extends ServerProcessOptions {
  layout: Layout
  /** To the database that always exists. */
  connection: ConnectionOptions
  log: Logger
  signal: AbortSignal
}

/** The connection by which a process watches PostgreSQL, and by which others see that the process uses it. */
export interface Watch {
  client: Client
  ended: Promise<void>
}

/**
 * Resolves with a connection to the PostgreSQL on the data directory: the one that runs, whoever started it, else one
 * that is started here. Any number of processes may do this at once: PostgreSQL's own lock file lets one win, and the
 * others find it. Throws when PostgreSQL ends while starting, with the end of its log.
 */
export async function bringUp(options: BringUpOptions): Promise<Watch> {
  const { layout, log, signal } = options
  const begun = performance.now()
  let child: ServerProcess | null = null
  try {
    for (;;) {
      signal.throwIfAborted()
      const answer = await tryConnect(options.connection)
      if ('client' in answer) return answer
      const waitedMs = performance.now() - begun
      if (child === null || child.hasExited()) {
        const postmaster = await readPostmaster(layout)
        if (postmaster.state === 'absent') {
          if (child !== null) await failUnlessLeftover(child, layout, waitedMs)
          const pids = await removeDeadLocks(layout)
          if (pids.length > 0) log.warn({ pids }, 'removed lock files of a PostgreSQL that was killed')
          await prepareSocketDirectory(layout, options.user)
          child = await spawnServer(layout, options)
        }
      }
      if (waitedMs > START_TIMEOUT_MS) {
        const message = `PostgreSQL does not answer on the socket in ${layout.sockets} (log: ${layout.logFile})`
        throw new Error(message, { cause: answer.refusal })
      }
      await delay(POLL_MS, undefined, { signal })
    }
  } catch (error) {
    child?.interrupt()
    throw error
  }
}

async function tryConnect(connection: ConnectionOptions): Promise<Watch | { refusal: unknown }> {
  const client = new Client(clientConfig(connection, 'crystal-forge supervisor'))
  const ended = new Promise<void>((resolve) => client.once('end', resolve))
  client.on('error', () => {
    // the connection ends with it
  })
  try {
    await client.connect()
    return { client, ended }
  } catch (refusal) {
    await client.end().catch(() => {})
    if (errorCode(refusal) === INVALID_PASSWORD) {
      throw new Error('the embedded PostgreSQL refuses the password in its password file', { cause: refusal })
    }
    return { refusal }
  }
}

async function failUnlessLeftover(
  child: ServerProcess,
  { logFile }: Layout,
  waitedMs: number,
): Promise<void> {
  const text = await child.readLog()
  if (LEFTOVERS.test(text) && waitedMs < LEFTOVER_TIMEOUT_MS) return
  throw new Error(`PostgreSQL ended while starting. Its log (${logFile}) ends:\n${text}`)
}
