import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a link does with bytes: passes them, drips them, keeps them, or breaks every connection. */
export type LinkState = 'open' | 'slow' | 'stalled' | 'cut'

/** A network between agents and server that can be bad. */
export interface TcpLink {
  url: string
  set: (state: LinkState) => void
  /** Breaks every connection when so many more bytes have passed: in the middle of a request or an answer. */
  breakAfter: (bytes: number) => void
}

/** A slow link passes this much of each direction every tick, 20 kB/s: a report takes a fifth of a second. */
const SLOW_BYTES = 200
const TICK_MS = 10

interface Direction {
  to: Socket
  held: Buffer[]
}

/** Passes connections on to `target`. Gone when the test is over. */
export async function startTcpLink(target: string): Promise<TcpLink> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const directions = new Set<Direction>()
  let state: LinkState = 'open'
  let bytesLeft = Infinity

  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }

  const write = (to: Socket, chunk: Buffer): void => {
    to.write(chunk.subarray(0, bytesLeft))
    bytesLeft -= chunk.length
    if (bytesLeft > 0) return
    bytesLeft = Infinity
    breakAll()
  }

  const release = (direction: Direction, bytes: number): void => {
    const held = Buffer.concat(direction.held)
    direction.held = held.length > bytes ? [held.subarray(bytes)] : []
    if (held.length > 0) write(direction.to, held.subarray(0, bytes))
  }

  const pass = (from: Socket, to: Socket): void => {
    const direction: Direction = { to, held: [] }
    directions.add(direction)
    sockets.add(from)
    from.on('data', (chunk) => {
      direction.held.push(chunk)
      if (state === 'open') release(direction, Infinity)
    })
    from.on('error', () => {
      // 'close' follows
    })
    from.on('close', () => {
      directions.delete(direction)
      sockets.delete(from)
      to.destroy()
    })
  }

  const server = createServer({ noDelay: true }, (near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host: hostname, port: Number(port), noDelay: true })
    pass(near, far)
    pass(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drip = setInterval(() => {
    if (state === 'slow') for (const direction of directions) release(direction, SLOW_BYTES)
  }, TICK_MS)
  onTestFinished(() => {
    clearInterval(drip)
    server.close()
    breakAll()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the link has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    set: (next) => {
      state = next
      if (state === 'cut') breakAll()
      if (state === 'open') for (const direction of directions) release(direction, Infinity)
    },
    breakAfter: (bytes) => {
      bytesLeft = bytes
    },
  }
}
