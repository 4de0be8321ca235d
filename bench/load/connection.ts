import { connect, type Socket } from 'node:net'

export interface Answer {
  /** 0: the connection was lost before the answer. */
  status: number
  /** Of Retry-After, or null. */
  retryAfterSecs: number | null
}

/**
 * A keep-alive connection that sends whole requests, one at a time. Bare sockets: `node:http` would cost the generator
 * as much as the server. Connects when it first sends, and again after a loss.
 */
export class Connection {
  readonly #port: number
  #socket: Socket | null = null
  #text = ''
  #answered: ((answer: Answer) => void) | null = null

  constructor(port: number) {
    this.#port = port
  }

  send(request: Buffer, answered: (answer: Answer) => void): void {
    this.#answered = answered
    this.#socket ??= this.#connect()
    this.#socket.write(request)
  }

  close(): void {
    this.#answered = null
    this.#socket?.destroy()
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('error', () => {
      // closes with it
    })
    socket.on('close', () => {
      this.#socket = null
      this.#text = ''
      this.#finish({ status: 0, retryAfterSecs: null })
    })
    return socket
  }

  #read(chunk: string): void {
    this.#text += chunk
    const headEnd = this.#text.indexOf('\r\n\r\n')
    if (headEnd === -1) return
    const head = this.#text.slice(0, headEnd)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (this.#text.length < headEnd + 4 + length) return
    this.#text = ''
    const retryAfter = /\r\nretry-after: (\d+)/i.exec(head)?.[1]
    this.#finish({
      status: Number(head.slice(9, 12)),
      retryAfterSecs: retryAfter === undefined ? null : Number(retryAfter),
    })
  }

  #finish(answer: Answer): void {
    const answered = this.#answered
    this.#answered = null
    answered?.(answer)
  }
}
