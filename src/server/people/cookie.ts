import type { FastifyReply, FastifyRequest } from 'fastify'

/** What of the settings decides on cookies. */
type PublicUrl = { publicUrl: string | null }

/** Of a name with __Host- browsers take no cookie that a neighbouring host set (RFC 6265bis, section 4.1.3.2). */
const NAMES = { secure: '__Host-crystal_forge', plain: 'crystal_forge' } as const

/** The session's token that a request brings, or null. */
export function sessionTokenOf(request: FastifyRequest, settings: PublicUrl): string | null {
  const token = request.cookies[isSecure(request, settings) ? NAMES.secure : NAMES.plain]
  return token === undefined || !/^cfs_[A-Za-z0-9_-]{43}$/.test(token) ? null : token
}

export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  settings: PublicUrl,
  session: { token: string; expiresAt: Date },
): void {
  const secure = isSecure(request, settings)
  reply.setCookie(secure ? NAMES.secure : NAMES.plain, session.token, {
    ...attributes(secure),
    expires: session.expiresAt,
  })
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply, settings: PublicUrl): void {
  const secure = isSecure(request, settings)
  reply.clearCookie(secure ? NAMES.secure : NAMES.plain, attributes(secure))
}

/** Lax, not Strict: who follows a link in an alert is still signed in. What changes something is guarded in same-site.ts. */
const attributes = (secure: boolean) => ({ path: '/', httpOnly: true, sameSite: 'lax', secure }) as const

/** Behind a proxy that is not trusted, `public_url` says that browsers come by TLS. */
function isSecure(request: FastifyRequest, { publicUrl }: PublicUrl): boolean {
  return request.protocol === 'https' || publicUrl?.startsWith('https:') === true
}
