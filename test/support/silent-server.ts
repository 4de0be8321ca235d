import { once } from 'node:events'
import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'

export interface SilentServer {
  port: number
  /** How many connections it got. */
  connections: () => number
}

/** Listens on this machine, on IPv4 and IPv6, and hangs up on everybody; for what must not be asked. */
export async function createSilentServer(): Promise<SilentServer> {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  server.listen(0, '::')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, connections: () => connections }
}
