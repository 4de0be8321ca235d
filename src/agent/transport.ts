import type { IncomingMessage } from 'node:http'

/** A reply of the server is a few hundred bytes; what is longer is not read on. */
const MAX_REPLY_BYTES = 64 * 1024

/** One HTTP answer, whoever gave it: the server, or something between. */
export interface Answer {
  status: number
  contentType: string
  retryAfter: string | undefined
  date: string | undefined
  body: Buffer
}

export interface Transport {
  /** The `@authority` of requests: host in lower case, port unless it is the scheme's own (RFC 9421, 2.2.3). */
  authority: string
  /** The peer is who it says: TLS, which is always verified, or this machine. */
  trusted: boolean
  /** Rejects when no whole answer came: unreachable, time-out, TLS, too long, aborted, or a StaleConnection. */
  post: (path: string, headers: Record<string, string>, body: Buffer, signal: AbortSignal) => Promise<Answer>
  close: () => void
}

export interface TransportOptions {
  serverUrl: URL
  /** PEM certificates that replace the ones built into Node. */
  ca: string | null
  /** For the whole exchange, from connecting to the last byte. */
  timeoutMs: number
}

export const REQUEST_TIMEOUT_MS = 30_000

/**
 * Posts over one kept-alive connection with node:http or node:https; `fetch` would cost 60 MB
 * (docs/architecture.md). Redirects are not followed: the signature covers where a request goes.
 */
export async function createTransport({ serverUrl, ca, timeoutMs }: TransportOptions): Promise<Transport> {
  const secure = serverUrl.protocol === 'https:'
  // TLS costs 2 MB, which an agent that does not speak it does not have to pay.
  const { Agent, request: send } = secure ? await import('node:https') : await import('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...(ca === null ? {} : { ca }) })

  const exchange = (
    path: string,
    headers: Record<string, string>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = send(new URL(path, serverUrl), {
        method: 'POST',
        agent,
        signal,
        headers: {
          host: serverUrl.host,
          'content-type': 'application/json',
          'content-length': body.length,
          ...headers,
        },
      })
      const timer = setTimeout(() => {
        request.destroy(new Error(`no whole answer from ${serverUrl.origin} within ${timeoutMs} ms`))
      }, timeoutMs)
      request.once('close', () => clearTimeout(timer))
      request.once('error', (error) =>
        reject(request.reusedSocket && isReset(error) ? new StaleConnection(error) : error),
      )
      request.once('response', (response) => {
        readAnswer(response).then(resolve, (error: unknown) => {
          request.destroy()
          reject(error)
        })
      })
      request.end(body)
    })

  return {
    authority: serverUrl.host,
    trusted: secure || isLoopback(serverUrl.hostname),
    post: exchange,
    close: () => agent.destroy(),
  }
}

/** The server closed the kept-alive connection just when it was used again, which says nothing about the server. */
export class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('the idle connection was closed', { cause })
    this.name = 'StaleConnection'
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REPLY_BYTES) throw new Error(`the reply is longer than ${MAX_REPLY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    retryAfter: response.headers['retry-after'],
    date: response.headers.date,
    body: Buffer.concat(chunks, size),
  }
}

/** `hostname` as `URL` gives it: an IPv4 address in its one form, IPv6 in brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
