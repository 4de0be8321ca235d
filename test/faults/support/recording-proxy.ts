import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import { createRecord, type ProxyRecord } from './proxy-record.ts'
import { WAIT_MS } from './rounds.ts'

/** A request as it arrived: it can be sent on, any number of times. */
export interface Captured {
  endpoint: string
  rawHeaders: readonly string[]
  body: Buffer
}

export interface Reply {
  status: number
  rawHeaders: readonly string[]
  body: Buffer
}

/** What becomes of a request; `reset` breaks the connection it came on. */
export type Deliver = (
  captured: Captured,
  forward: (captured: Captured) => Promise<Reply>,
) => Promise<Reply | 'reset'>

export interface RecordingProxy {
  url: string
  record: ProxyRecord
  /** Where requests go from now on, in turn. */
  forwardTo: (servers: readonly string[]) => void
  /** Resolves when so many more requests have arrived. */
  requestsArrived: (count: number) => Promise<void>
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])
const REFUSED: Reply = {
  status: 502,
  rawHeaders: ['Content-Type', 'text/html'],
  body: Buffer.from('<html><body>502 Bad Gateway</body></html>'),
}

/** Stands between agents and server and writes down what the server acknowledged. Gone when the test is over. */
export async function startRecordingProxy({
  deliver = deliverOnce,
}: { deliver?: Deliver } = {}): Promise<RecordingProxy> {
  const record = createRecord()
  const agent = new Agent({ keepAlive: true })
  let servers: readonly string[] = []
  let arrived = 0

  const forward = async (captured: Captured): Promise<Reply> => {
    const server = servers[arrived % servers.length]
    if (server === undefined) return REFUSED
    const reply = await exchange(new URL(captured.endpoint, server), captured, agent)
    record.answered(captured, reply)
    return reply
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const captured = {
      endpoint: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body: await buffer(request),
    }
    arrived += 1
    const reply = await deliver(captured, forward).catch((error: unknown) =>
      isRefused(error) ? REFUSED : ('reset' as const),
    )
    if (reply === 'reset') {
      request.socket.resetAndDestroy()
      return
    }
    response.sendDate = false
    response.writeHead(reply.status, [...endToEnd(reply.rawHeaders)])
    response.end(reply.body)
  }

  const http = createServer((request, response) => {
    // the other side has gone: an agent was killed, or a link was cut
    handle(request, response).catch(() => request.socket.destroy())
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => {
    http.close()
    http.closeAllConnections()
    agent.destroy()
  })
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    record,
    forwardTo: (next) => {
      servers = next
    },
    requestsArrived: async (count) => {
      const enough = arrived + count
      await waitFor(() => arrived >= enough, { timeoutMs: WAIT_MS, what: `${count} more requests` })
    },
  }
}

const deliverOnce: Deliver = (captured, forward) => forward(captured)

/** Headers go on as they came: the signature covers the Host, and the agent believes the server's Date. */
function exchange(url: URL, { rawHeaders, body }: Captured, agent: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      url,
      { method: 'POST', headers: [...endToEnd(rawHeaders)], setHost: false, agent },
      (response) => {
        buffer(response).then(
          (answer) =>
            resolve({ status: response.statusCode ?? 0, rawHeaders: response.rawHeaders, body: answer }),
          reject,
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && !HOP_BY_HOP.has(name.toLowerCase()) ? [name, rawHeaders[index + 1] ?? ''] : [],
  )
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
