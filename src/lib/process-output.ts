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

/** Collects the last `limit` bytes: the end of a long log is where the error is. Returns a reader of the text. */
export function collectTail(stream: Readable, limit: number): () => string {
  let kept: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    kept.push(chunk)
    size += chunk.length
    // Cut only when twice the limit is held, so that copying stays linear in what is written.
    if (size > 2 * limit) {
      kept = [Buffer.concat(kept).subarray(-limit)]
      size = kept[0]?.length ?? 0
    }
  })
  return () => lastCharacters(Buffer.concat(kept), limit)
}

/** A cut can leave the end of a character at the start (bytes 10xxxxxx), which is no text. */
function lastCharacters(bytes: Buffer, limit: number): string {
  if (bytes.length <= limit) return bytes.toString('utf8')
  let start = bytes.length - limit
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1
  return bytes.toString('utf8', start)
}
