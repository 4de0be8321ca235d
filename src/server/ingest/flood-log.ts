import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../context.ts'

const AGAIN_MS = 60_000

/** Says which systems are told to slow down, once a minute each: metrics only count how often that happens. */
export function logFloods(app: FastifyInstance, { clock, log }: Pick<ServerContext, 'clock' | 'log'>): void {
  const saidAt = new Map<number, number>()
  app.addHook('onResponse', (request, reply, done) => {
    done()
    if (request.agent === null || reply.problem !== 'slow-down') return
    const { systemId, id: keyId } = request.agent.key
    const now = clock()
    if (now - (saidAt.get(systemId) ?? -Infinity) < AGAIN_MS) return
    saidAt.set(systemId, now)
    log.warn({ systemId, keyId, address: request.ip }, 'a system sends more at once than is taken of one')
  })
}
