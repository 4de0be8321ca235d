import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { Problem } from '../../protocol/problems.ts'
import { type Role, ROLES, useApiToken } from '../../store/api-tokens.ts'
import type { ServerContext } from '../context.ts'
import type { FailureLimit } from '../ingest/failure-limit.ts'

export interface ApiCaller {
  kind: 'user' | 'token' | 'anonymous'
  /** Of the user or the token; 0 for `anonymous`. */
  id: number
  name: string
  role: Role
}

/** Makes the hook that lets callers of at least this role through. */
export type Authorise = (atLeast: Role) => onRequestAsyncHookHandler

/** The name of the scheme is in any case (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9_-]{1,256})$/i

/** Bearer tokens, each with one role; with `anonymous_read` a request without a token may read. */
export function createAuthorise(context: ServerContext, limit: FailureLimit): Authorise {
  const callerOf = async (request: FastifyRequest, atLeast: Role): Promise<ApiCaller> => {
    const header = request.headers.authorization
    if (header === undefined && context.settings.anonymousRead && atLeast === 'viewer')
      return { kind: 'anonymous', id: 0, name: 'anonymous', role: 'viewer' }
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1]
    const caller = token === undefined ? null : await useApiToken(context.db, token)
    if (caller !== null) return { kind: 'token', ...caller }
    limit.count(request.ip)
    throw new Problem(
      'unauthenticated',
      header === undefined
        ? 'send a token: Authorization: Bearer <token>'
        : 'the token is unknown, expired or revoked',
    )
  }
  return (atLeast) => async (request) => {
    const caller = await callerOf(request, atLeast)
    if (ROLES.indexOf(caller.role) < ROLES.indexOf(atLeast))
      throw new Problem('forbidden', `this needs the role ${atLeast}; the token has the role ${caller.role}`)
    request.caller = caller
  }
}
