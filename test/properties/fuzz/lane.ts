import { openRaw, type RawReply } from '../../support/raw-http.ts'

/** One connection after the other, each kept as long as the server keeps it. */
export interface Lane {
  /** The answer to one well-framed request. Throws when the server closes a fresh connection without one. */
  ask: (bytes: Buffer) => Promise<RawReply>
  /** What the server says to any bytes on a connection of their own, of which only this side is closed. */
  tell: (bytes: Buffer) => Promise<RawReply | null>
  close: () => void
}

/** After `100 Continue` comes another. */
const finalAnswer = async ({ answer }: ReturnType<typeof openRaw>): Promise<RawReply | null> => {
  const reply = await answer()
  return reply?.status === 100 ? answer() : reply
}

export function createLane(url: string): Lane {
  let kept: ReturnType<typeof openRaw> | undefined

  const ask = async (bytes: Buffer): Promise<RawReply> => {
    const isFresh = kept === undefined
    const connection = kept ?? openRaw(url)
    kept = connection
    connection.socket.write(bytes)
    const reply = await finalAnswer(connection)
    if (reply === null || reply.headers['connection'] === 'close') {
      connection.socket.destroy()
      kept = undefined
    }
    // a kept connection may have been closed before the bytes arrived
    if (reply === null && !isFresh) return ask(bytes)
    if (reply === null) throw new Error('the server closed the connection without an answer')
    return reply
  }
  return {
    ask,
    tell: async (bytes) => {
      const connection = openRaw(url)
      connection.socket.end(bytes)
      const reply = await finalAnswer(connection)
      connection.socket.destroy()
      return reply
    },
    close: () => void kept?.socket.destroy(),
  }
}
