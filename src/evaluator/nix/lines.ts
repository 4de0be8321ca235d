export interface Lines {
  add: (chunk: Buffer) => void
  /** Gives the rest, when the stream has ended without a newline. */
  end: () => void
}

/**
 * Splits bytes into lines, which are given without their newline. Of a longer line than `maxBytes` only the
 * beginning is given, so that what writes without end costs no more memory.
 */
export function splitLines(maxBytes: number, onLine: (line: string) => void): Lines {
  let pieces: Buffer[] = []
  let size = 0
  const keep = (piece: Buffer): void => {
    if (size < maxBytes) pieces.push(piece.subarray(0, maxBytes - size))
    size = Math.min(maxBytes, size + piece.length)
  }
  const flush = (): void => {
    const line = Buffer.concat(pieces).toString('utf8')
    pieces = []
    size = 0
    onLine(line)
  }
  return {
    add: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end))
        flush()
        start = end + 1
      }
      // A copy: a slice would keep the whole chunk in memory.
      if (start < chunk.length) keep(Buffer.from(chunk.subarray(start)))
    },
    end: () => {
      if (size > 0) flush()
    },
  }
}
