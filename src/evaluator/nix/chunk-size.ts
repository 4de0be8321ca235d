/** An argument of a program may have 128 KiB (execve(2), MAX_ARG_STRLEN). */
const MAX_JSON_BYTES = 96 * 2 ** 10

/**
 * Takes the next process's share off the front of `waiting`: half of an equal share of what is left, so that starts
 * are few and all processes end at about the same time (guided self-scheduling, Polychronopoulos and Kuck 1987).
 * Names that do not fit into an argument go to `onTooLong`. Empty only when nothing is left.
 */
export function takeChunk(waiting: string[], workers: number, onTooLong: (name: string) => void): string[] {
  const count = Math.ceil(waiting.length / (2 * workers))
  const chunk: string[] = []
  let size = 0
  while (chunk.length < Math.max(1, count)) {
    const [name] = waiting
    if (name === undefined) break
    const bytes = Buffer.byteLength(JSON.stringify(name)) + 1
    if (bytes <= MAX_JSON_BYTES && size + bytes > MAX_JSON_BYTES) break
    waiting.shift()
    if (bytes > MAX_JSON_BYTES) {
      onTooLong(name)
    } else {
      size += bytes
      chunk.push(name)
    }
  }
  return chunk
}
