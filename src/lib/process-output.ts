import type { Readable } from 'node:stream'

/** Collects the first `limit` bytes, and calls `onExceeded` once when there are more. Returns a reader of the text. */
export function collectHead(stream: Readable, limit: number, onExceeded: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    const exceeded = size + chunk.length > limit
    if (size < limit) chunks.push(exceeded ? chunk.subarray(0, limit - size) : chunk)
    if (exceeded && size <= limit) onExceeded()
    size += chunk.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

export interface Tail {
  add: (chunk: Buffer) => void
  clear: () => void
  text: () => string
}

/** Keeps the last `limit` bytes of what is added: the end of a long log is where the error is. */
export function createTail(limit: number): Tail {
  let kept: Buffer[] = []
  let size = 0
  let isCut = false
  const cut = (): void => {
    const bytes = Buffer.concat(kept)
    isCut ||= bytes.length > limit
    kept = [bytes.subarray(Math.max(0, bytes.length - limit))]
    size = Math.min(size, limit)
  }
  return {
    add: (chunk) => {
      kept.push(chunk)
      size += chunk.length
      // Only when twice the limit is held, so that copying stays linear in what is written.
      if (size > 2 * limit) cut()
    },
    clear: () => {
      kept = []
      size = 0
      isCut = false
    },
    text: () => {
      cut()
      const [bytes = Buffer.alloc(0)] = kept
      return bytes.toString('utf8', isCut ? firstCharacter(bytes) : 0)
    },
  }
}

/** Collects the last `limit` bytes of a stream. Returns a reader of the text. */
export function collectTail(stream: Readable, limit: number): () => string {
  const tail = createTail(limit)
  stream.on('data', tail.add)
  return tail.text
}

/** A cut can leave the end of a character at the start (bytes 10xxxxxx), which is no text. */
function firstCharacter(bytes: Buffer): number {
  const start = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80)
  return start === -1 ? bytes.length : start
}
