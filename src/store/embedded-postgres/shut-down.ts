import { rmdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Logger } from '../../lib/log.ts'
import type { Layout } from './layout.ts'
import { readPostmaster } from './postmaster.ts'

/** Any number that the supervisors agree on; advisory locks are per database, and nobody else works in `postgres`. */
const STOP_LOCK = 20261123
/** Closed connections stay listed for a moment. */
const LINGER_MS = 500
/** The shutdown ends with a checkpoint: as long as it takes to write what is in memory. */
const STOP_TIMEOUT_MS = 120_000
const POLL_MS = 20

const OTHERS = `select count(*) as count from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid()`

/**
 * Ends the supervisor's connection, and stops PostgreSQL if that was the last: each process that uses it has one. Of two
 * that end at once the lock lets the second see that the first is gone.
 */
export async function shutDownUnlessUsed(layout: Layout, client: Client, log: Logger): Promise<void> {
  const others = await countOthers(client)
  if (others === null) return
  const postmaster = await readPostmaster(layout)
  if (others > 0) {
    log.info({ connections: others }, 'leaving the embedded PostgreSQL to the others that use it')
  } else if (postmaster.state === 'running') {
    // Fast shutdown (postgres(1)): ends the connections, writes a checkpoint, exits.
    process.kill(postmaster.pid, 'SIGINT')
  } else {
    log.warn('cannot stop the embedded PostgreSQL: its main process is not among those seen from here')
  }
  await client.end().catch(() => {})
  if (others === 0) await waitUntilGone(layout)
}

/** Null when the connection is lost: PostgreSQL is gone, or was when last looked at. */
async function countOthers(client: Client): Promise<number | null> {
  try {
    await client.query(`select pg_advisory_lock(${STOP_LOCK})`)
    for (const begun = performance.now(); ; await delay(POLL_MS)) {
      const { rows } = await client.query<{ count: number }>(OTHERS)
      const count = rows[0]?.count ?? 0
      if (count === 0 || performance.now() - begun > LINGER_MS) return count
    }
  } catch {
    return null
  }
}

async function waitUntilGone(layout: Layout): Promise<void> {
  for (const begun = performance.now(); ; await delay(POLL_MS)) {
    const { state } = await readPostmaster(layout)
    if (state === 'absent') break
    if (performance.now() - begun > STOP_TIMEOUT_MS) {
      throw new Error(`PostgreSQL did not stop within ${STOP_TIMEOUT_MS / 1000} s (log: ${layout.logFile})`)
    }
  }
  // It may be in /tmp, where nobody else would. Fails when another process has started PostgreSQL again.
  await rmdir(layout.sockets).catch(() => {})
}
