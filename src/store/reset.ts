import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'pg'
import { type ConnectionOptions, describeConnection, withClient } from './database.ts'

const APPLICATION_NAME = 'crystal-forge db reset'
/** Ours, and that of pg-boss. */
const SCHEMAS = ['public', 'pgboss']
/** For whoever connects after the look at who is connected. */
const LOCK_TIMEOUT = '5s'

/** A connection that was closed is listed until its process has ended. */
const CLOSING_MS = 2000

const OTHERS = `select coalesce(nullif(application_name, ''), 'unnamed') as name from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() order by 1`

/**
 * Removes everything from the database, and leaves it as if it had just been created. Throws while others are connected:
 * a server that lost its tables would only fail.
 */
export async function emptyDatabase(connection: ConnectionOptions): Promise<void> {
  await withClient(connection, APPLICATION_NAME, async (client) => {
    const others = await whoStays(client)
    if (others.length > 0) {
      const names = [...new Set(others)].join(', ')
      throw new Error(
        `others are connected to ${describeConnection(connection)} (${names}): stop them first, then try again`,
      )
    }
    const drops = SCHEMAS.map((schema) => `drop schema if exists ${schema} cascade;`)
    await client.query(`begin; set local lock_timeout = '${LOCK_TIMEOUT}'; set local client_min_messages = warning;
      ${drops.join(' ')} create schema public; commit`)
  })
}

async function whoStays(client: Client): Promise<string[]> {
  const deadline = performance.now() + CLOSING_MS
  for (;;) {
    const { rows } = await client.query<{ name: string }>(OTHERS)
    if (rows.length === 0 || performance.now() > deadline) return rows.map(({ name }) => name)
    await delay(50)
  }
}
