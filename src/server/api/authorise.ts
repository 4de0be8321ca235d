import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { Problem } from '../../protocol/problems.ts'
import { type Role, ROLES, useApiToken } from '../../store/api-tokens.ts'
import { useSession } from '../../store/sessions.ts'
import type { ServerContext } from '../context.ts'
import type { FailureLimit } from '../ingest/failure-limit.ts'
import { sessionTokenOf } from '../people/cookie.ts'
import { refuseCrossSite } from '../people/same-site.ts'

export interface ApiCaller {
  kind: 'user' | 'token' | 'anonymous'
  /** Of the user or the token; 0 for `anonymous`. */
  id: number
  name: string
  role: Role
  /** Of a user: the session. */
  session?: { id: number; displayName: string; signsInBy: 'password' | 'oidc'; expiresAt: Date }
}

/** Makes the hook that lets callers of at least this role through. */
export type Authorise = (atLeast: Role, options?: { watch?: boolean }) => onRequestAsyncHookHandler

/** Our own page sends it with what it reads by itself, while nobody touches it: that keeps no session from being idle. */
const UNATTENDED = 'crystal-forge-unattended'

/** The name of the scheme is in any case (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9_-]{1,256})$/i

/** Whom a request is from: a token, else the session of the cookie, else anybody where `anonymous_read` lets them read. */
export type FindCaller = (
  request: FastifyRequest,
  /** The request goes on without anybody doing anything. */
  options?: { watch?: boolean },
) => Promise<ApiCaller | null>

export function createFindCaller({ db, settings }: ServerContext): FindCaller {
  return async (request, options = {}) => {
    const header = request.headers.authorization
    if (header !== undefined) {
      const token = BEARER.exec(header)?.[1]
      const found = token === undefined ? null : await useApiToken(db, token)
      return found === null ? null : { kind: 'token', ...found }
    }
    const token = sessionTokenOf(request, settings)
    const watch = options.watch === true || request.headers[UNATTENDED] !== undefined
    const user = token === null ? null : await useSession(db, token, { watch })
    if (user !== null) {
      refuseCrossSite(request, { publicUrl: settings.publicUrl, cookie: true })
      const { id, name, role, sessionId, display_name, signs_in_by, expires_at: expiresAt } = user
      const session = { id: sessionId, displayName: display_name, signsInBy: signs_in_by, expiresAt }
      return { kind: 'user', id, name, role, session }
    }
    return settings.anonymousRead ? { kind: 'anonymous', id: 0, name: 'anonymous', role: 'viewer' } : null
  }
}

export function createAuthorise(findCaller: FindCaller, limit: FailureLimit): Authorise {
  return (atLeast, options) => async (request) => {
    const caller = await findCaller(request, options)
    if (caller === null || (caller.kind === 'anonymous' && atLeast !== 'viewer')) {
      limit.count(request.ip)
      throw new Problem(
        'unauthenticated',
        request.headers.authorization === undefined
          ? 'sign in, or send a token: Authorization: Bearer <token>'
          : 'the token is unknown, expired or revoked',
      )
    }
    if (ROLES.indexOf(caller.role) < ROLES.indexOf(atLeast))
      throw new Problem(
        'forbidden',
        `this needs the role ${atLeast}; ${caller.kind === 'token' ? 'the token has' : 'you have'} the role ${caller.role}`,
      )
    request.caller = caller
  }
}
