import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/**
 * Gives every good answer to a read an ETag, and answers 304 to those who have it already (RFC 9110, sections 8.8.3 and
 * 13.1.2). @fastify/etag is not used: it answers 304 to refusals and to changes too, and knows no list of tags.
 */
export function installEtags(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    // answers depend on the token: no shared cache may keep them, and new tokens nobody
    reply.header('cache-control', isRead ? 'private, no-cache' : 'no-store')
    if (!isRead || reply.statusCode !== 200 || typeof payload !== 'string') return payload
    const tag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`
    // weak: a proxy may compress the answer
    reply.header('etag', `W/${tag}`)
    if (!matches(request.headers['if-none-match'], tag)) return payload
    reply.code(304).removeHeader('content-type')
    return ''
  })
}

/** Tags are compared weakly; `*` is any. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  const tags: readonly string[] = header.match(/"[\u0021\u0023-\u007e\u0080-\u00ff]*"/g) ?? []
  return header.trim() === '*' || tags.includes(tag)
}
