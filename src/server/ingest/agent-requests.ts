import type { FastifyInstance } from 'fastify'
import { checkContentDigest } from '../../protocol/verify.ts'
import type { ServerContext } from '../context.ts'
import type { Authenticator } from './authenticate.ts'
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

  app.addHook('onRequest', async (request) => {
    checkHead(request)
    options.checkAuthority(request.headers.host)
    if (isVersion0(request, context.settings)) return
    request.agent = await options.authenticator.authenticate(request)
    checkContentType(request)
  })

  app.addHook('preHandler', async (request) => {
    if (request.agent !== null)
      checkContentDigest(request.agent.signed.covered.contentDigest, bodyOf(request))
  })
}
