import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { Problem } from '../../protocol/problems.ts'
import type { ServerContext } from '../context.ts'

/** Live: the process answers. Ready: it can also commit. Neither says more. */
export function healthRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get('/health/live', () => ({ status: 'live' }))
  app.get('/health/ready', async () => {
    const { rows } = await sql<{ standby: boolean }>`select pg_is_in_recovery() as standby`.execute(
      context.db,
    )
    if (rows[0]?.standby === true)
      throw new Problem('unavailable', 'the database is a read-only standby', { retryAfter: 5 })
    return { status: 'ready' }
  })
}
