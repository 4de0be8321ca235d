import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/lib/config/load.ts'
import { createLogger } from '../../src/lib/log.ts'
import { createConfiguredDatabase } from '../../src/store/configured-database.ts'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { writeServerConfig } from './server.ts'

/**
 * Runs `work` with a migrated embedded PostgreSQL with its default durability, which servers started on `directory` use
 * too; all of it is gone afterwards.
 */
export async function withPostgres<T>(
  work: (postgres: { directory: string; connection: ConnectionOptions }) => Promise<T>,
): Promise<T> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'crystal-forge-bench-')))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const log = createLogger({ level: 'warn' })
  const { configPath } = await writeServerConfig(directory)
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  try {
    const connection = await configured.start()
    await migrate(connection, { log })
    return await work({ directory, connection })
  } finally {
    await configured.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
