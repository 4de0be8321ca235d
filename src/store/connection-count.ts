import { type Kysely, sql } from 'kysely'
import type { Config } from '../lib/config/load.ts'
import type { Logger } from '../lib/log.ts'
import type { DB } from './schema.generated.ts'

/** Of a process, beside `max_connections`: two for the job queue, one that is told of jobs, one that watches PostgreSQL. */
const FURTHER = 4
/** For evaluators of their own, commands and people. */
const SPARE = 20
/** What PostgreSQL allows by itself. */
const USUAL = 100

type Needed = Pick<Config, 'max_connections'> & { server: Pick<Config['server'], 'processes'> }

/** As many as all processes of a server open at most. */
const connectionsOf = ({ max_connections: each, server }: Needed): number =>
  server.processes * (each + FURTHER)

/** What the embedded PostgreSQL has to allow. */
export const embeddedConnections = (config: Needed): number => Math.max(USUAL, connectionsOf(config) + SPARE)

/** Says in the log when PostgreSQL would refuse connections that this server may open, before the fleet finds out. */
export async function warnOfFewConnections(db: Kysely<DB>, config: Needed, log: Logger): Promise<void> {
  const { rows } = await sql<{ allowed: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      as allowed`.execute(db)
  const allowed = rows[0]?.allowed ?? 0
  const needed = connectionsOf(config)
  if (needed <= allowed) return
  log.warn(
    { needed, allowed },
    'this server may open more connections than PostgreSQL allows: raise max_connections there, or lower [database] max_connections or [server] processes',
  )
}
