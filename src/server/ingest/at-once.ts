import type { FastifyRequest, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { slowDown } from './slow-down.ts'

/**
 * Hooks of a route of agents that let so many requests of one system be under way, from the verified signature, before
 * the body is read, until the answer: bodies are kept in memory and cost time to parse, also those that a full queue would
 * refuse then. It cannot come before the signature is verified: key ids are public, and whoever names one could lock its
 * host out.
 */
export function limitAtOnce(max: number): { onRequest: onRequestHookHandler; onSend: onSendHookHandler } {
  const counts = new Map<number, number>()
  const entered = new WeakMap<FastifyRequest, number>()
  return {
    onRequest(request, _reply, done) {
      const systemId = request.agent?.key.systemId
      // of a request whose sender is gone already no body ever ends, and so no answer is made
      if (systemId === undefined || request.raw.destroyed) return done()
      const count = counts.get(systemId) ?? 0
      if (count >= max) return done(slowDown())
      counts.set(systemId, count + 1)
      entered.set(request, systemId)
      done()
    },
    // every request gets here, also one that is cut off; onResponse is for those whose answer could be sent
    onSend(request, _reply, _payload, done) {
      const systemId = entered.get(request)
      if (systemId !== undefined) {
        entered.delete(request)
        const count = counts.get(systemId) ?? 0
        if (count > 1) counts.set(systemId, count - 1)
        else counts.delete(systemId)
      }
      done()
    },
  }
}
