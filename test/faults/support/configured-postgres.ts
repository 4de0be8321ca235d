import { onTestFinished } from 'vitest'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { createLogger } from '../../../src/lib/log.ts'
import { type ConnectionOptions, withClient } from '../../../src/store/database.ts'
import { chooseBinaries, installedDirectories } from '../../../src/store/embedded-postgres/binaries.ts'
import { dataDirectoryVersion } from '../../../src/store/embedded-postgres/data-directory.ts'
import { createEmbeddedPostgres } from '../../../src/store/embedded-postgres/embedded-postgres.ts'
import { layoutOf, PORT, prepareSocketDirectory } from '../../../src/store/embedded-postgres/layout.ts'
import { readPostmaster } from '../../../src/store/embedded-postgres/postmaster.ts'
import { spawnServer } from '../../../src/store/embedded-postgres/server-process.ts'
import { choosePostgresUser, type SystemUser } from '../../../src/store/embedded-postgres/system-user.ts'
import { postgresProcesses } from '../../store/embedded-postgres/support.ts'
import { waitFor } from '../../support/wait.ts'
import { WAIT_MS } from './rounds.ts'

/** A PostgreSQL that nobody but the test starts and stops: what `[database]` points to. */
export interface ConfiguredPostgres {
  connection: ConnectionOptions
  /** Its data directory. */
  data: string
  /** The directory of its programs. */
  binaries: string
  /** Whom it runs as; null: ourselves. */
  user: SystemUser | null
  /** Resolves when it answers. */
  start: (settings?: Readonly<Record<string, string>>) => Promise<void>
  /** SIGINT is PostgreSQL's fast shutdown. Resolves when it is gone. */
  end: (signal: 'SIGINT' | 'SIGKILL') => Promise<void>
}

/** Starts one; it is gone when the test is over. */
export async function startConfiguredPostgres(): Promise<ConfiguredPostgres> {
  const directory = await createPostgresDirectory()
  const made = createEmbeddedPostgres({ stateDir: directory, log: createLogger({ level: 'warn' }) })
  const connection = await made.start()
  await made.stop()
  const postgres = await findPostgres(directory, connection)
  await postgres.start()
  return postgres
}

/** Empty; gone when the test is over, with what runs in it. */
export async function createPostgresDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp('/tmp/cf-configured-'))
  await chmod(directory, 0o755)
  onTestFinished(async () => {
    for (const pid of await postgresProcesses(directory)) process.kill(pid, 'SIGKILL')
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  })
  return directory
}

/** The one whose data is in such a directory; `connection` says as whom to open it. It is not started. */
export async function findPostgres(directory: string, as: ConnectionOptions): Promise<ConfiguredPostgres> {
  const layout = layoutOf(directory)
  const connection = { ...as, host: layout.sockets, port: PORT }
  const user = await choosePostgresUser(layout.data)
  const binaries = await chooseBinaries({
    major: await dataDirectoryVersion(layout.data),
    directories: await installedDirectories(),
    copies: layout.copies,
    user,
  })
  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    await prepareSocketDirectory(layout, user)
    await spawnServer(layout, { binaries, user, settings })
    await waitFor(() => withClient(connection, 'test', async () => true), {
      timeoutMs: WAIT_MS,
      what: 'PostgreSQL to answer',
    })
  }
  const isGone = async (): Promise<boolean> => (await readPostmaster(layout)).state === 'absent'
  return {
    connection,
    data: layout.data,
    binaries: binaries.directory,
    user,
    start,
    end: async (signal) => {
      const postmaster = await readPostmaster(layout)
      if (postmaster.state !== 'running') throw new Error('PostgreSQL does not run')
      process.kill(postmaster.pid, signal)
      await waitFor(isGone, { timeoutMs: WAIT_MS, what: 'PostgreSQL to be gone' })
    },
  }
}
