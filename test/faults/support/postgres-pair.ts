import { rm } from 'node:fs/promises'
import { type ConnectionOptions, withClient } from '../../../src/store/database.ts'
import { layoutOf, prepareDirectories } from '../../../src/store/embedded-postgres/layout.ts'
import { waitFor } from '../../support/wait.ts'
import {
  type ConfiguredPostgres,
  createPostgresDirectory,
  findPostgres,
  startConfiguredPostgres,
} from './configured-postgres.ts'
import { makeDataDirectory, runProgram } from './postgres-programs.ts'
import { WAIT_MS } from './rounds.ts'

/** A primary and a standby that has what the primary says is committed. */
export interface PostgresPair {
  /** To both; which of them accepts writes has to be found out. */
  connection: ConnectionOptions
  primary: () => ConfiguredPostgres
  /** The standby becomes the primary; the other one must be gone, or at least be left alone. */
  promote: () => Promise<void>
  /** What was the primary before becomes the standby of the other. */
  rebuild: () => Promise<void>
}

/** Starts both; they are gone when the test is over. */
export async function startPostgresPair(): Promise<PostgresPair> {
  let primary = await startConfiguredPostgres()
  let standby = await copyOf(primary, await createPostgresDirectory())
  await follow(primary, standby)
  return {
    connection: { ...primary.connection, host: `${primary.connection.host},${standby.connection.host}` },
    primary: () => primary,
    promote: async () => {
      await run(standby, 'select pg_promote()')
      ;[primary, standby] = [standby, primary]
    },
    rebuild: async () => {
      await rm(standby.data, { recursive: true, force: true })
      await baseBackup(primary, standby.data)
      await follow(primary, standby)
    },
  }
}

/** Another one, set up as the standby of this one. */
async function copyOf(original: ConfiguredPostgres, directory: string): Promise<ConfiguredPostgres> {
  const layout = layoutOf(directory)
  await prepareDirectories(layout, original.user)
  await baseBackup(original, layout.data)
  return await findPostgres(directory, original.connection)
}

async function baseBackup(original: ConfiguredPostgres, data: string): Promise<void> {
  await makeDataDirectory(original, data)
  await runProgram(original, 'pg_basebackup', [
    '--pgdata',
    data,
    '--checkpoint=fast',
    '--write-recovery-conf',
  ])
}

/** Nothing is acknowledged from then on that the standby does not have. */
async function follow(primary: ConfiguredPostgres, standby: ConfiguredPostgres): Promise<void> {
  await standby.start()
  await run(primary, "alter system set synchronous_standby_names = '*'")
  await run(primary, 'select pg_reload_conf()')
  const isSynchronous = async (): Promise<boolean> => {
    const rows = await run(primary, "select from pg_stat_replication where sync_state = 'sync'")
    return rows.length === 1
  }
  await waitFor(isSynchronous, { timeoutMs: WAIT_MS, what: 'a synchronous standby' })
}

async function run({ connection }: ConfiguredPostgres, statement: string): Promise<unknown[]> {
  return await withClient(connection, 'test', async (client) => (await client.query(statement)).rows)
}
