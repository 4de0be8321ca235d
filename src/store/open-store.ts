import type { Config } from '../lib/config/load.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import type { Logger } from '../lib/log.ts'
import { createConfiguredDatabase } from './configured-database.ts'
import { createDatabase, type Database } from './database.ts'
import { createJobQueue, type JobQueue } from './job-queue.ts'
import { migrate } from './migrate.ts'

export interface Store {
  database: Database
  queue: JobQueue
}

/**
 * What a process of ours begins with: the configured database, migrated, with connections and the job queue. Each is
 * undone by `lifecycle`, also when a later one throws. `applicationName` is shown in pg_stat_activity.
 */
export async function openStore(
  lifecycle: Pick<Lifecycle, 'add'>,
  options: {
    config: Pick<Config, 'database' | 'server' | 'max_connections'>
    log: Logger
    applicationName: string
  },
): Promise<Store> {
  const { config, log, applicationName } = options
  const configured = createConfiguredDatabase(config, log)
  lifecycle.add('the database', configured.stop)
  const connection = await configured.start()
  await migrate(connection, { log })
  const { max_connections: maxConnections } = config
  const database = createDatabase(connection, { maxConnections, applicationName, log })
  lifecycle.add('the database connections', database.close)
  const queue = createJobQueue({ connection, log })
  lifecycle.add('the jobs', queue.stop)
  await queue.start()
  return { database, queue }
}
