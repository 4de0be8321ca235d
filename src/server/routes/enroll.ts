import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BODY_LIMITS, type EnrollReply } from '../../protocol/messages.ts'
import { parseEnrollment } from '../../protocol/parse.ts'
import { Problem } from '../../protocol/problems.ts'
import { checkContentDigest, checkFreshness, readSignedRequest } from '../../protocol/verify.ts'
import { enroll } from '../../store/enrollments.ts'
import { readKey } from '../api/keys.ts'
import type { ServerContext } from '../context.ts'
import type { Verify } from '../ed25519.ts'
import { refusedBy } from '../ingest/refusals.ts'
import type { FailureLimit } from '../ingest/failure-limit.ts'
import { bodyOf, checkContentType, checkHead, readHead } from '../ingest/request-head.ts'
import type { TransportCheck } from '../ingest/transport.ts'

/**
 * `POST /agent/enroll`: signed by the key that asks to be let in, which the body carries, so that nobody enrols a key
 * without holding it. The body is small and read before the signature can be checked.
 */
export function enrollRoute(
  app: FastifyInstance,
  context: ServerContext,
  options: {
    verify: Verify
    limit: FailureLimit
    isConfidential: TransportCheck
    checkAuthority: (host: string | undefined) => void
  },
): void {
  const { verify, limit, isConfidential, checkAuthority } = options
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const authenticated = (request: FastifyRequest) => {
    const signed = readSignedRequest(readHead(request))
    checkFreshness(signed, context.clock())
    checkContentType(request)
    checkContentDigest(signed.covered.contentDigest, bodyOf(request))
    const enrollment = parseEnrollment(bodyOf(request)).value
    const key = readKey(enrollment.public_key, '/public_key')
    if (key.id !== signed.keyId || !verify(key.publicKey, signed.base, signed.signatureBytes))
      throw new Problem('bad-signature', 'the request is not signed by the key it carries')
    return { enrollment, key }
  }

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<EnrollReply> => {
    checkHead(request)
    checkAuthority(request.headers.host)
    if (!isConfidential(request))
      throw new Problem('forbidden', 'enrolment sends a secret: it needs TLS, or loopback')
    const { enrollment, key } = authenticated(request)
    const outcome = await enroll(context.db, {
      token: enrollment.token,
      hostname: enrollment.hostname,
      keyId: key.id,
      publicKey: key.publicKey,
      address: request.ip,
    })
    if (outcome.result === 'revoked-key') throw refusedBy('revoked-key')
    if (outcome.result === 'refused')
      throw new Problem('enrollment-refused', 'the token is unknown, expired, used up, or for another host')
    reply.code(outcome.result === 'active' ? 201 : 202)
    return { system: outcome.hostname, key_id: key.id, status: outcome.result }
  }

  app.post('/agent/enroll', { bodyLimit: BODY_LIMITS.enroll }, async (request, reply) => {
    try {
      return await handle(request, reply)
    } catch (error) {
      if (error instanceof Problem && isFailedAuthentication(error)) limit.count(request.ip)
      throw error
    }
  })
}

function isFailedAuthentication(error: Problem): boolean {
  return ['unsigned', 'stale-signature', 'bad-signature', 'enrollment-refused'].includes(error.problem)
}
