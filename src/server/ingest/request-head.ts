import type { FastifyRequest } from 'fastify'
import { Problem } from '../../protocol/problems.ts'
import type { RequestHead } from '../../protocol/verify.ts'

/** Headers that a signature depends on and Node would join or drop when they come twice. */
const SINGLE = new Set(['host', 'content-digest', 'content-type', 'content-length'])

/** Refuses what no agent sends and what would leave the signature's meaning open. Throws Problem malformed. */
export function checkHead(request: FastifyRequest): void {
  // the router would also take it encoded, or with a query string or a fragment
  if (request.url !== request.routeOptions.url)
    throw new Problem(
      'malformed',
      `the path has to be written ${request.routeOptions.url}, without a query string`,
    )
  if (request.headers['content-encoding'] !== undefined)
    throw new Problem('malformed', 'the body may not have a Content-Encoding')
  const repeated = findRepeated(request.raw.rawHeaders)
  if (repeated !== null) throw new Problem('malformed', `the request has more than one ${repeated} header`)
}

/** A header of `SINGLE` that comes twice among names and values in turn. */
function findRepeated(rawHeaders: readonly string[]): string | null {
  const seen: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (!SINGLE.has(name)) continue
    if (seen.includes(name)) return name
    seen.push(name)
  }
  return null
}

export function readHead(request: FastifyRequest): RequestHead {
  return {
    method: request.method,
    authority: request.headers.host,
    path: request.url,
    contentDigest: single(request, 'content-digest'),
    signatureInput: single(request, 'signature-input'),
    signature: single(request, 'signature'),
  }
}

/** Node joins a repeated header with a comma, as RFC 9110, section 5.3 says, so that a list stays a list. */
function single(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** 415 unless the body says it is JSON; a charset, if any, has to be UTF-8. */
export function checkContentType(request: FastifyRequest): void {
  const type = request.headers['content-type'] ?? ''
  if (
    type !== 'application/json' &&
    !/^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i.test(type)
  )
    throw new Problem('unsupported', 'the Content-Type has to be application/json')
}

/** The whole body; empty when there was none. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}
