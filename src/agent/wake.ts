/** Lets a loop wait until there is something to do; a wake-up while it is busy is not lost. */
export interface Wake {
  wake: () => void
  wait: () => Promise<void>
}

export function createWake(): Wake {
  let pending = Promise.withResolvers<void>()
  return {
    wake: () => pending.resolve(),
    wait: async () => {
      await pending.promise
      pending = Promise.withResolvers()
    },
  }
}
