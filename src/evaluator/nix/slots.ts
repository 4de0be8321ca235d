export interface Slots {
  count: number
  /** Runs the task when one of the slots is free, in the order of the calls. */
  use: <T>(task: () => Promise<T>) => Promise<T>
}

export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return {
    count,
    use: async (task) => {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await task()
      } finally {
        // The slot goes to the next one directly, so that nobody who comes now is before it.
        const next = waiting.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  }
}
