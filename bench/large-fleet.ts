import type { Kysely } from 'kysely'
import { createAdminToken } from '../src/cli/demo/admin-token.ts'
import { createLogger } from '../src/lib/log.ts'
import { createDatabase, withClient } from '../src/store/database.ts'
import type { DB } from '../src/store/schema.generated.ts'
import { fillEvaluations, fillFleet, fillReports } from './fleet-rows.ts'
import { withPostgres } from './load/postgres.ts'
import { withServer } from './load/server.ts'

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
  return await withPostgres(async ({ directory, connection }) => {
    say(`making ${SYSTEMS} systems`)
    await withClient(connection, 'bench', async (client) => {
      await fillFleet(client, SYSTEMS)
      say(`making ${SYSTEMS * reportsEach} reports`)
      await fillEvaluations(client)
      await fillReports(client, reportsEach)
    })
    const log = createLogger({ level: 'warn' })
    const database = createDatabase(connection, { maxConnections: 4, applicationName: 'bench', log })
    const start = performance.now()
    try {
      return await withServer(directory, {}, async ({ port, pid, configPath }) => {
        const startSecs = (performance.now() - start) / 1000
        const token = await createAdminToken(configPath)
        return await work({ url: `http://127.0.0.1:${port}`, token, pid, startSecs, db: database.db })
      })
    } finally {
      await database.close()
    }
  })
}
