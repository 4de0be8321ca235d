import type { FastifyInstance } from 'fastify'
import { BODY_LIMITS } from '../../protocol/messages.ts'
import { Problem } from '../../protocol/problems.ts'
import type { Version0 } from '../ingest/version-0.ts'

/** `POST /system_state`: where the oldest agents send their state. */
export function systemStateRoute(app: FastifyInstance, options: { version0: Version0 }): void {
  app.post('/system_state', { bodyLimit: BODY_LIMITS.state }, async (request) => {
    if (request.agent !== null) throw new Problem('not-found', 'agents of version 1 use /agent/state')
    return options.version0.handle(request)
  })
}
