import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Answers instead of Git; true when it did. */
type Answer = (request: IncomingMessage, response: ServerResponse) => boolean

export interface GitHttpServer {
  /** `http://127.0.0.1:<port>`; a repository's path below the root follows. */
  url: string
  /** What was asked, oldest first: method, path, and the user and password that came with it. */
  requests: { path: string; authorization: string | null }[]
  /** Bytes of Git's answers that were sent. */
  sentBytes: () => number
  /** From now on this answers; null: Git. */
  answerWith: (answer: Answer | null) => void
}

export interface GitHttpServerOptions {
  /** The directory whose repositories are served. */
  root: string
  /** `user:password`, asked for with status 401. */
  account?: string
  /** Speaks TLS with the certificate of `TLS_CERTIFICATE`. */
  tls?: boolean
}

export const TLS_CERTIFICATE = join(import.meta.dirname, 'tls/cert.pem')

/** Serves Git repositories by `git http-backend`; gone when the test is over. */
export async function startGitHttpServer(options: GitHttpServerOptions): Promise<GitHttpServer> {
  let answer: Answer | null = null
  let sent = 0
  const requests: GitHttpServer['requests'] = []
  const listener: RequestListener = (request, response) => {
    const authorization = accountOf(request)
    requests.push({ path: request.url ?? '', authorization })
    if (answer?.(request, response)) return
    if (options.account !== undefined && authorization !== options.account) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    serve(options.root, request, response, (bytes) => (sent += bytes))
  }
  const server = options.tls
    ? createTlsServer(
        {
          cert: await readFile(TLS_CERTIFICATE),
          key: await readFile(join(import.meta.dirname, 'tls/key.pem')),
        },
        listener,
      )
    : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    sentBytes: () => sent,
    answerWith: (next) => (answer = next),
  }
}

/** Reads the request, and never answers. */
export const hang: Answer = () => true

export const status =
  (code: number): Answer =>
  (_request, response) => {
    response.writeHead(code).end()
    return true
  }

/** Sends every request to the same path below another address. */
export const redirectTo =
  (base: string): Answer =>
  (request, response) => {
    response.writeHead(302, { location: base + (request.url ?? '') }).end()
    return true
  }

/** Once `bytes` of an answer to a POST are sent, closes the connection, or sends no more. */
export function stopAfter(root: string, bytes: number, how: 'close' | 'stall'): Answer {
  return (request, response) => {
    if (request.method !== 'POST') return false
    let left = bytes
    const write = response.write.bind(response)
    const end = response.end.bind(response)
    response.end = () => (left === 0 && how === 'stall' ? response : end())
    response.write = (chunk: Buffer): boolean => {
      const part = chunk.subarray(0, left)
      left -= part.length
      const more = write(part)
      if (left === 0 && how === 'close') response.destroy()
      return more
    }
    serve(root, request, response, () => {})
    return true
  }
}

function accountOf({ headers }: IncomingMessage): string | null {
  const [, encoded] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? []
  return encoded === undefined
    ? (headers.authorization ?? null)
    : Buffer.from(encoded, 'base64').toString('utf8')
}

/** The Common Gateway Interface, as far as `git http-backend` needs it (RFC 3875). */
function serve(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  onSent: (bytes: number) => void,
): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://host')
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      ...(request.headers['content-length'] !== undefined && {
        CONTENT_LENGTH: request.headers['content-length'],
      }),
    },
  })
  child.stdin.on('error', () => {})
  request.pipe(child.stdin)
  response.on('close', () => child.kill())
  response.on('error', () => child.kill())
  let head: Buffer | null = Buffer.alloc(0)
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.destroyed) return
    if (head === null) {
      onSent(chunk.length)
      response.write(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    const body = head.subarray(end + 4)
    writeHead(response, head.subarray(0, end).toString('latin1'))
    head = null
    onSent(body.length)
    response.write(body)
  })
  child.stdout.on('end', () => response.end())
}

function writeHead(response: ServerResponse, text: string): void {
  const headers = text.split('\r\n').map((line) => line.split(/: (.*)/, 2))
  const code = headers.find(([name]) => name === 'Status')?.[1] ?? '200'
  for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value)
  response.writeHead(Number.parseInt(code, 10))
}
