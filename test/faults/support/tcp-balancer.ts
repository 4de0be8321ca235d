import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A balancer that knows nothing but connections, as in front of several servers. */
export interface TcpBalancer {
  url: string
  /** Where connections go from now on, in turn; one that refuses is passed over. */
  setTargets: (urls: readonly string[]) => void
}

/** Gone when the test is over. */
export async function startTcpBalancer(): Promise<TcpBalancer> {
  const sockets = new Set<Socket>()
  let targets: readonly string[] = []
  let turn = 0

  const connectTo = async (near: Socket): Promise<void> => {
    turn += 1
    for (let tried = 0; tried < targets.length; tried++) {
      const { hostname, port } = new URL(targets[(turn + tried) % targets.length] ?? '')
      const far = open(connect({ host: hostname, port: Number(port), noDelay: true }))
      const connected = once(far, 'connect').then(
        () => true,
        () => false,
      )
      if (await connected) return pass(near, far)
    }
    near.resetAndDestroy()
  }
  const open = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {
      // 'close' follows
    })
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  const server = createServer({ noDelay: true }, (near) => void connectTo(open(near)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the balancer has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    setTargets: (urls) => {
      targets = urls
    },
  }
}

function pass(near: Socket, far: Socket): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.pipe(to)
    from.on('close', () => to.destroy())
  }
}
