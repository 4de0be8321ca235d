/**
 * The one table of problem types (RFC 9457). `type` is `urn:crystal-forge:problem:<name>`; docs/errors.md has a
 * section for each, which a test checks.
 */
export const PROBLEMS = {
  malformed: { status: 400, title: 'The request is not well formed' },
  unsigned: { status: 401, title: 'The request is not signed' },
  'stale-signature': { status: 401, title: 'The signature was made too long ago or in the future' },
  'bad-signature': { status: 401, title: 'No key or secret in use made this signature' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  'revoked-key': { status: 403, title: 'This key was revoked' },
  'pending-approval': { status: 403, title: 'This key waits for approval by an operator' },
  'wrong-host': { status: 403, title: 'The report names another registered system' },
  'enrollment-refused': { status: 403, title: 'The enrolment token is not valid' },
  forbidden: { status: 403, title: 'This is not permitted' },
  'read-only': { status: 403, title: 'This is declared in the configuration and cannot be changed here' },
  'not-found': { status: 404, title: 'There is no such thing' },
  replayed: { status: 409, title: 'The sequence number is not above the last one' },
  conflict: { status: 409, title: 'The request conflicts with what is there' },
  'too-large': { status: 413, title: 'The body is too large' },
  unsupported: { status: 415, title: 'The body is of a type that is not accepted here' },
  misdirected: { status: 421, title: 'The request is meant for another server' },
  invalid: { status: 422, title: 'The document does not have the form it must have' },
  'slow-down': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something failed inside the server' },
  unavailable: { status: 503, title: 'The server cannot answer now' },
} as const

export type ProblemName = keyof typeof PROBLEMS

export const PROBLEM_PREFIX = 'urn:crystal-forge:problem:'
export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Something in a document that is not accepted. `path` is a JSON Pointer (RFC 6901). */
export interface Flaw {
  path: string
  message: string
}

/** `flaw` as the one sentence that a problem's detail begins with. */
export function describeFlaw({ path, message }: Flaw): string {
  return `${path === '' ? 'the document' : path} ${message}`
}

/** The document itself. Further members belong to single types: `last_sequence` (replayed), `errors` (invalid). */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail?: string
  last_sequence?: number
  errors?: Flaw[]
}

/** An error that is answered with its problem document; anything else thrown is `internal`. */
export class Problem extends Error {
  readonly problem: ProblemName
  readonly members: Pick<ProblemDocument, 'last_sequence' | 'errors'>
  /** Seconds for `Retry-After`. */
  readonly retryAfter: number | undefined

  constructor(
    problem: ProblemName,
    detail: string,
    options: { cause?: unknown; retryAfter?: number; members?: Problem['members'] } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'Problem'
    this.problem = problem
    this.members = options.members ?? {}
    this.retryAfter = options.retryAfter
  }

  toDocument(): ProblemDocument {
    const { status, title } = PROBLEMS[this.problem]
    return { type: PROBLEM_PREFIX + this.problem, title, status, detail: this.message, ...this.members }
  }
}

/** The problem `invalid` of a request with one flaw. */
export function invalidAt(path: string, message: string, cause?: unknown): Problem {
  const flaw = { path, message }
  return new Problem('invalid', describeFlaw(flaw), { cause, members: { errors: [flaw] } })
}
