import type { FastifyRequest } from 'fastify'
import { Problem } from '../../protocol/problems.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses a change that a page of another site had the browser send with our cookie (CSRF). All browsers of the last years
 * send Sec-Fetch-Site over TLS and to loopback, and Origin with what is not safe otherwise
 * (https://www.w3.org/TR/fetch-metadata/, https://fetch.spec.whatwg.org/#origin-header).
 */
export function refuseCrossSite(
  request: FastifyRequest,
  { publicUrl, cookie }: { publicUrl: string | null; cookie: boolean },
): void {
  if (SAFE.has(request.method)) return
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  if (
    site !== undefined ? site === 'same-origin' : origin !== undefined && isOurs(origin, request, publicUrl)
  )
    return
  // what is no browser sends neither, and has no cookie that somebody else could use
  if (site === undefined && origin === undefined && !cookie) return
  throw new Problem('forbidden', 'this came from a page of another site; use the dashboard, or a token')
}

function isOurs(origin: string, request: FastifyRequest, publicUrl: string | null): boolean {
  if (publicUrl !== null && origin === new URL(publicUrl).origin) return true
  return origin === `${request.protocol}://${request.host}`
}
