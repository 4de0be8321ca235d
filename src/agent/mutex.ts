/** Runs what it is given one after the other, in the order of the calls. */
export type Mutex = <T>(run: () => Promise<T>) => Promise<T>

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const result = last.then(run)
    // A failure belongs to its caller and does not stop those behind.
    last = result.catch(() => {})
    return result
  }
}
