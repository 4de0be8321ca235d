import type { FastifyInstance } from 'fastify'
import { checkContentDigest } from '../../protocol/verify.ts'
import type { ServerContext } from '../context.ts'
import type { Authenticated, Authenticator } from './authenticate.ts'
import { bodyOf, checkContentType, checkHead } from './request-head.ts'
import { isVersion0 } from './version-0.ts'

/**
 * Makes every route of `app` an agent's: bodies stay bytes, and a request is authenticated from its headers alone, before
 * any of its body is read; then the body has to be what the signature covers.
 */
export function installAgentRequests(
  app: FastifyInstance,
  context: ServerContext,
  options: {
    authenticator: Authenticator
    checkAuthority: (host: string | undefined) => void
  },
): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // of the same, the one that Fastify finds without reading the header anew
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )

  // without promises where nothing is waited for: each costs a heartbeat as much as reading its signature's headers
  app.addHook('onRequest', (request, _reply, done) => {
    checkHead(request)
    options.checkAuthority(request.headers.host)
    if (isVersion0(request, context.settings)) return done()
    const accept = (agent: Authenticated): void => {
      request.agent = agent
      checkContentType(request)
    }
    const found = options.authenticator.authenticate(request)
    if (found instanceof Promise) return found.then(accept)
    accept(found)
    done()
  })

  app.addHook('preHandler', (request, _reply, done) => {
    if (request.agent !== null)
      checkContentDigest(request.agent.signed.covered.contentDigest, bodyOf(request))
    done()
  })
}
