import { mkdir, realpath } from 'node:fs/promises'
import type { Client } from 'pg'
import type { Logger } from '../../lib/log.ts'
import type { ConnectionOptions } from '../database.ts'
import { chooseBinaries, installedDirectories } from './binaries.ts'
import { bringUp, type BringUpOptions } from './bring-up.ts'
import {
  CLUSTER_NAME,
  createDataDirectory,
  dataDirectoryVersion,
  readOrCreatePassword,
} from './data-directory.ts'
import { layoutOf, PORT, prepareDirectories } from './layout.ts'
import { shutDownUnlessUsed } from './shut-down.ts'
import { type Supervision, supervise } from './supervise.ts'
import { choosePostgresUser } from './system-user.ts'

export interface EmbeddedPostgresOptions {
  /** Everything is below `<stateDir>/postgres`. */
  stateDir: string
  log: Logger
  /** Settings of PostgreSQL over its own, which are durable. */
  settings?: Readonly<Record<string, string>>
  /** Where an installed PostgreSQL is looked for; default: PATH, then Debian's /usr/lib/postgresql. */
  binaryDirectories?: readonly string[]
}

export interface EmbeddedPostgres {
  /** Resolves when it answers, with a database to connect to (empty at first). */
  start: () => Promise<ConnectionOptions>
  /** Call it after closing all own connections. Stops PostgreSQL unless another process is connected. */
  stop: () => Promise<void>
}

/**
 * A PostgreSQL of our own on a Unix socket: for a server without a configured database. The data outlives the process;
 * a PostgreSQL that a killed process left is taken over; several processes may share one. When it dies it is started
 * again. When we are root it runs as another user (system-user.ts).
 */
export function createEmbeddedPostgres(options: EmbeddedPostgresOptions): EmbeddedPostgres {
  const stopping = new AbortController()
  let running: { setup: BringUpOptions; supervision: Supervision } | undefined

  const start = async (): Promise<ConnectionOptions> => {
    try {
      const setup = await prepare(options, stopping.signal)
      const watch = await bringUp(setup)
      running = { setup, supervision: supervise(setup, watch) }
      await ensureDatabase(watch.client)
      options.log.info({ data: setup.layout.data }, 'the embedded PostgreSQL is ready')
      return { ...setup.connection, name: CLUSTER_NAME }
    } catch (error) {
      throw new Error(`cannot start the embedded PostgreSQL in ${options.stateDir}`, { cause: error })
    }
  }

  const stop = async (): Promise<void> => {
    stopping.abort()
    if (running === undefined) return
    const { setup, supervision } = running
    await shutDownUnlessUsed(setup.layout, await supervision.ended, options.log)
  }

  return { start, stop }
}

async function prepare(options: EmbeddedPostgresOptions, signal: AbortSignal): Promise<BringUpOptions> {
  const { stateDir, log, settings = {} } = options
  await mkdir(stateDir, { recursive: true })
  const layout = layoutOf(await realpath(stateDir))
  const user = await choosePostgresUser(layout.data)
  await prepareDirectories(layout, user)
  const major = await dataDirectoryVersion(layout.data)
  const directories = options.binaryDirectories ?? (await installedDirectories())
  const binaries = await chooseBinaries({ major, directories, copies: layout.copies, user })
  const password = await readOrCreatePassword(layout.passwordFile)
  if (major === null) {
    const durable = settings['fsync'] !== 'off'
    await createDataDirectory(layout.data, { binaries, user, password, durable })
  }
  const connection: ConnectionOptions = {
    host: layout.sockets,
    port: PORT,
    user: CLUSTER_NAME,
    password,
    name: 'postgres',
    ssl: 'disable',
    ca: null,
  }
  return { layout, user, binaries, connection, settings, log, signal }
}

/** Another process may create it at the same moment: one of the two gets an error, and then finds it. */
async function ensureDatabase(client: Client): Promise<void> {
  const exists = async () => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [CLUSTER_NAME])
    return rowCount === 1
  }
  if (await exists()) return
  try {
    await client.query(`create database ${CLUSTER_NAME}`)
  } catch (error) {
    if (!(await exists())) throw error
  }
}
