import type { ProblemName } from '../protocol/problems.ts'
import type { SignedRequest } from '../protocol/verify.ts'
import type { ApiCaller } from './api/authorise.ts'
import type { RegisteredKey } from '../store/keys.ts'

/** What hooks leave for handlers. */
declare module 'fastify' {
  interface FastifyRequest {
    /** Set once an agent's signature was verified. */
    agent: { key: RegisteredKey; signed: SignedRequest } | null
    /** Set once an API caller was authorised. */
    caller: ApiCaller | null
  }
  interface FastifyReply {
    /** The problem that was answered, for metrics. */
    problem: ProblemName | null
  }
}
