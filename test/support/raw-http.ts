import { connect, type Socket } from 'node:net'

export interface RawReply {
  status: number
  /** Lower-case names; of repeated ones the last. */
  headers: Record<string, string>
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
}

/**
 * Sends bytes as they are and reads one answer, or null when the connection ends without one. `keep` leaves the socket
 * open for more.
 */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<RawReply | null> {
  const { socket, answer } = openRaw(url)
  socket.write(bytes)
  const reply = await answer()
  socket.destroy()
  return reply
}

/** A connection on which `answer` reads one reply after the other. */
export function openRaw(url: string): { socket: Socket; answer: () => Promise<RawReply | null> } {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = Buffer.alloc(0)
  let isOver = false
  let wake: (() => void) | undefined
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake?.()
  })
  socket.on('error', () => {
    // a server may reset a connection that it refuses; what it said before counts
  })
  socket.on('close', () => {
    isOver = true
    wake?.()
  })
  const answer = async (): Promise<RawReply | null> => {
    for (;;) {
      const found = takeReply(received)
      if (found !== null) {
        received = received.subarray(found.length)
        return found.reply
      }
      if (isOver) return null
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { socket, answer }
}

function takeReply(received: Buffer): { reply: RawReply; length: number } | null {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const length = end + 4 + Number(headers['content-length'] ?? 0)
  if (received.length < length) return null
  const text = received.subarray(end + 4, length).toString('utf8')
  return {
    reply: { status: Number(statusLine.split(' ')[1]), headers, text, body: parseOrNull(text) },
    length,
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
