import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../lib/log.ts'
import type { Metrics } from './metrics.ts'

/** `/metrics` on an address of its own (`[server] metrics_listen`), without a token. */
export function createMetricsListener(metrics: Metrics, listen: { host: string; port: number }, log: Logger) {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    metrics.read().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (err: unknown) => {
        log.error({ err }, 'metrics could not be collected')
        response.writeHead(503).end()
      },
    )
  })
  return {
    start: () =>
      new Promise<AddressInfo | string | null>((resolve, reject) => {
        server.once('error', reject)
        server.listen(listen, () => resolve(server.address()))
      }),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
