import { explainError, errorCode } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, type ProblemDocument } from '../protocol/problems.ts'

export interface ApiClientOptions {
  /** Where the server is; the API is at `api/v1/` below it. */
  url: URL
  /** Null sends none: a server with `anonymous_read` answers reads all the same. */
  token: Secret | null
  fetch?: typeof fetch
}

export interface ApiRequest {
  /** Undefined members are left out. */
  query?: Record<string, string | number | undefined>
  body?: unknown
  /** Members the answer has to have: what lacks one was not sent by a Crystal Forge. */
  expect?: readonly string[]
}

export interface ApiClient {
  url: URL
  /** The JSON answer, null where there is none. Throws an ApiError or an Error that says what to do. */
  request: (method: string, path: string, request?: ApiRequest) => Promise<unknown>
  /** Milliseconds since the epoch by the server's clock, as of its last answer: its times are compared with it. */
  serverTime: () => number
}

/** An answer that says no, with a problem document of ours. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly document: ProblemDocument

  constructor(message: string, document: ProblemDocument) {
    super(message)
    this.document = document
  }
}

/** Longer than any query of the API may take; a firewall that swallows packets is noticed. */
const TIMEOUT_MS = 30_000

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { url, token, fetch: send = fetch } = options
  const root = new URL(url.href.endsWith('/') ? url.href : `${url.href}/`)
  let time: number | undefined

  const call = async (method: string, path: string, { query, body }: ApiRequest): Promise<Response> => {
    const target = new URL(`api/v1${path}`, root)
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) target.searchParams.set(name, String(value))
    try {
      return await send(target, {
        method,
        headers: {
          accept: 'application/json',
          ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (error) {
      throw unreachable(url, error)
    }
  }

  return {
    url,
    serverTime: () => time ?? Date.now(),
    async request(method, path, request = {}) {
      const response = await call(method, path, request)
      const text = await response.text().catch((error: unknown) => Promise.reject(unreachable(url, error)))
      const date = Date.parse(response.headers.get('date') ?? '')
      if (!Number.isNaN(date)) time = date
      if (!response.ok) throw refusal(url, response, text, token !== null)
      if (response.status === 204) return null
      return checkedAnswer(url, response, text, request.expect ?? [])
    },
  }
}

function checkedAnswer(url: URL, response: Response, text: string, members: readonly string[]): unknown {
  const answer = mediaType(response) === 'application/json' ? parseOrNull(text) : null
  const isOurs =
    typeof answer === 'object' && answer !== null && members.every((member) => Object.hasOwn(answer, member))
  if (!isOurs) throw notOurs(url, response)
  return answer
}

/** What an answer that is no 2xx means, as an error that says what to do. */
export function refusal(url: URL, response: Response, text: string, hadToken: boolean): Error {
  const location = response.headers.get('location')
  if (response.status >= 300 && response.status < 400 && location !== null)
    return new Error(`${url.href} answers with a redirect to ${location}: give the server's own address`)
  const problem = mediaType(response) === PROBLEM_MEDIA_TYPE ? parseOrNull(text) : null
  return isProblem(problem)
    ? new ApiError(describeProblem(problem, url, hadToken), problem)
    : notOurs(url, response)
}

function describeProblem(problem: ProblemDocument, url: URL, hadToken: boolean): string {
  if (problem.type === `${PROBLEM_PREFIX}unauthenticated`)
    return hadToken
      ? `${url.href} refuses the token: it is unknown, expired or revoked; an admin makes a new one with ` +
          '`crystal-forge tokens create`'
      : `${url.href} wants a token: put one in CRYSTAL_FORGE_TOKEN, or in a file and give --token-file; an admin ` +
          'makes one with `crystal-forge tokens create`'
  const { title, detail, errors = [] } = problem
  // the first error is in the detail already
  const places = errors.length < 2 ? [] : errors.map(({ path, message }) => `\n  ${path}: ${message}`)
  return `${detail === undefined ? title : `${title}: ${detail}`}${places.join('')}`
}

export function notOurs(url: URL, response: Response): Error {
  const type = mediaType(response)
  return new Error(
    `what answers at ${url.href} is not the API of a Crystal Forge server (HTTP ${response.status}` +
      `${type === '' ? '' : `, ${type}`}): check the address` +
      (response.status >= 500 ? ', and whether the server behind it runs' : ''),
  )
}

/** Codes of OpenSSL that mean: a certificate is there, and is not trusted. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_/

/** Why there is no answer, as an error that says what to do. */
export function unreachable(url: URL, error: unknown): Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Error(`${url.href} did not answer within ${TIMEOUT_MS / 1000} s`)
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = errorCode(cause) ?? ''
  const advice = UNTRUSTED.test(code)
    ? 'its certificate is not trusted here; for a CA of your own set NODE_EXTRA_CA_CERTS to its PEM file'
    : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'its name has no address: check CRYSTAL_FORGE_URL or --url'
      : 'check CRYSTAL_FORGE_URL or --url, that the server runs, and that no firewall is between'
  // the cause's own text is in the message: fetch says only "fetch failed" around it
  return new Error(`cannot reach ${url.href} (${explainError(cause)}): ${advice}`)
}

function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isProblem(value: unknown): value is ProblemDocument {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type.startsWith(PROBLEM_PREFIX) &&
    'title' in value
  )
}
