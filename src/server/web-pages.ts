import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../protocol/problems.ts'

/** Whatever begins so is not a page, and what is not there is answered as the rest of the server does. */
const NOT_PAGES = ['/api', '/agent', '/auth', '/webhook', '/health', '/metrics', '/assets']

const YEAR_SECS = 31_536_000

/**
 * The dashboard, as `npm run build` made it: files below /assets carry a digest in their name and never change, and every
 * other address that a browser asks for as a page gets the one page there is.
 */
export async function webPages(app: FastifyInstance, options: { directory: string | null }): Promise<void> {
  const { directory } = options
  await app.register(helmet, HEADERS)
  if (directory !== null)
    await app.register(fastifyStatic, {
      root: directory,
      serve: false,
      preCompressed: true,
      cacheControl: false,
      index: false,
    })
  app.get('/*', async (request, reply) => {
    const path = pathOf(request)
    if (directory === null) {
      if (!isPage(request, path)) return reply.callNotFound()
      throw new Problem(
        'not-found',
        'the dashboard is not built here: npm run build makes it; the API is at /api/v1',
      )
    }
    if (path.startsWith('/assets/') || path === '/icon.svg')
      return reply
        .header(
          'cache-control',
          path.startsWith('/assets/') ? `public, max-age=${YEAR_SECS}, immutable` : 'no-cache',
        )
        .sendFile(path.slice(1))
    if (!isPage(request, path)) return reply.callNotFound()
    return reply.header('cache-control', 'no-cache').sendFile('index.html')
  })
}

/** The built dashboard: beside the bundle when installed, in dist/ of a checkout; null when it was not built. */
export function findWebPages(): string | null {
  const places = ['./web', '../../dist/web'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return places.find((directory) => existsSync(join(directory, 'index.html'))) ?? null
}

function isPage(request: FastifyRequest, path: string): boolean {
  if (NOT_PAGES.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return false
  return (request.headers.accept ?? '').includes('text/html')
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** Nothing from elsewhere, nothing inline, no frame around it, nothing said to others about where the reader was. */
const HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // whether there is TLS, and for all subdomains of the name, is for who runs the proxy to say
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' },
} as const
