import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { createAdminToken } from '../src/cli/demo/admin-token.ts'
import { loadConfig } from '../src/lib/config/load.ts'
import { createLogger } from '../src/lib/log.ts'
import { createConfiguredDatabase } from '../src/store/configured-database.ts'
import { createDatabase, withClient } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'
import type { DB } from '../src/store/schema.generated.ts'
import { fillEvaluations, fillFleet, fillReports } from './fleet-rows.ts'
import { startBenchServer, writeServerConfig } from './load/server.ts'

export const SYSTEMS = 100_000

export interface LargeFleet {
  url: string
  /** An admin's. */
  token: string
  /** The server's process. */
  pid: number
  /** From when the server was started until it was ready, in seconds. */
  startSecs: number
  db: Kysely<DB>
}

/**
 * Runs `work` against a server that watches 100,000 systems, on the embedded PostgreSQL with its default durability; each of
 * them has reported so many times.
 */
export async function withLargeFleet<T>(
  options: { say: (text: string) => void; reportsEach: number },
  work: (fleet: LargeFleet) => Promise<T>,
): Promise<T> {
  const { say, reportsEach } = options
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'crystal-forge-bench-')))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const { configPath } = await writeServerConfig(directory)
  const log = createLogger({ level: 'warn' })
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  try {
    const connection = await configured.start()
    await migrate(connection, { log })
    say(`making ${SYSTEMS} systems`)
    await withClient(connection, 'bench', async (client) => {
      await fillFleet(client, SYSTEMS)
      say(`making ${SYSTEMS * reportsEach} reports`)
      await fillEvaluations(client)
      await fillReports(client, reportsEach)
    })
    const database = createDatabase(connection, { maxConnections: 4, applicationName: 'bench', log })
    const start = performance.now()
    const server = await startBenchServer(directory)
    const startSecs = (performance.now() - start) / 1000
    try {
      const url = `http://127.0.0.1:${server.port}`
      const token = await createAdminToken(server.configPath)
      return await work({ url, token, pid: server.pid, startSecs, db: database.db })
    } finally {
      await server.stop()
      await database.close()
    }
  } finally {
    await configured.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
