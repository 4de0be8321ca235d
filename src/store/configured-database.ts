import { readFile } from 'node:fs/promises'
import type { Config } from '../lib/config/load.ts'
import type { Logger } from '../lib/log.ts'
import { embeddedConnections } from './connection-count.ts'
import type { ConnectionOptions } from './database.ts'
import { createEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts'

/**
 * The database of the configuration: where `[database]` says, else the embedded PostgreSQL below `[server] state_dir`,
 * which `start` brings up and `stop` stops unless others use it.
 */
export function createConfiguredDatabase(
  config: Pick<Config, 'database' | 'server' | 'max_connections'>,
  log: Logger,
): EmbeddedPostgres {
  const { database, server } = config
  if (database === null)
    return createEmbeddedPostgres({
      stateDir: server.state_dir,
      log,
      settings: { max_connections: String(embeddedConnections(config)) },
    })
  const start = async (): Promise<ConnectionOptions> => {
    const { host, port, user, password, name, ssl, ca_file } = database
    const ca = ca_file === null ? null : await readFile(ca_file, 'utf8')
    return { host, port, user, password, name, ssl, ca }
  }
  return { start, stop: async () => {} }
}
