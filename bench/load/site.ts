import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'pg'
import { loadConfig } from '../../src/lib/config/load.ts'
import { createLogger } from '../../src/lib/log.ts'
import { createConfiguredDatabase } from '../../src/store/configured-database.ts'
import { withClient } from '../../src/store/database.ts'
import { layoutOf } from '../../src/store/embedded-postgres/layout.ts'
import { migrate } from '../../src/store/migrate.ts'
import { type Generator, startGenerator } from './generator.ts'
import { writeServerConfig } from './server.ts'

/** Where a load goes to: an embedded PostgreSQL with its default durability, and who generates the load. */
export interface Site {
  directory: string
  client: Client
  generator: Generator
  /** Its main process. */
  postmaster: number
}

/** Runs `work` with all of it, which is gone afterwards. */
export async function withSite<T>(work: (site: Site) => Promise<T>): Promise<T> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'crystal-forge-bench-')))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const log = createLogger({ level: 'warn' })
  const { configPath } = await writeServerConfig(directory)
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  const generator = startGenerator()
  try {
    const connection = await configured.start()
    await migrate(connection, { log })
    const pidFile = await readFile(join(layoutOf(directory).data, 'postmaster.pid'), 'utf8')
    const postmaster = Number(pidFile.split('\n')[0])
    return await withClient(connection, 'bench', (client) =>
      work({ directory, client, generator, postmaster }),
    )
  } finally {
    generator.stop()
    await configured.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
