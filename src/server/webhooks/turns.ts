import { Problem } from '../../protocol/problems.ts'

export interface Turn {
  /** Resolves when it has come; rejects with Problem `slow-down` when it does not come in time. */
  hasCome: Promise<void>
  /** Lets the next one in, or leaves the queue. */
  end: () => void
}

export interface Turns {
  ask: (address: string) => Turn
}

interface Waiting {
  address: string
  enter: () => void
}

/**
 * Lets requests in one at a time for each address, and `atOnce` of all: each may hold a body of 25 MiB. `waiting` more may
 * wait, for `waitMs` each.
 */
export function createTurns(limits: { atOnce: number; waiting: number; waitMs: number }): Turns {
  const inside = new Set<string>()
  const queue: Waiting[] = []

  const letIn = (): void => {
    while (inside.size < limits.atOnce) {
      const index = queue.findIndex(({ address }) => !inside.has(address))
      if (index === -1) return
      const [next] = queue.splice(index, 1)
      if (next === undefined) return
      inside.add(next.address)
      next.enter()
    }
  }
  const refusal = () =>
    new Problem('slow-down', 'too many webhooks arrive at once', {
      retryAfter: Math.max(1, Math.ceil(limits.waitMs / 1000)),
    })

  return {
    ask(address) {
      if (queue.length >= limits.waiting) return { hasCome: Promise.reject(refusal()), end: () => {} }
      const { promise: hasCome, resolve, reject } = Promise.withResolvers<void>()
      let isInside = false
      const leaveQueue = (): void => {
        clearTimeout(timer)
        const index = queue.indexOf(waiting)
        if (index !== -1) queue.splice(index, 1)
      }
      const waiting: Waiting = {
        address,
        enter: () => {
          clearTimeout(timer)
          isInside = true
          resolve()
        },
      }
      const timer = setTimeout(() => {
        leaveQueue()
        reject(refusal())
      }, limits.waitMs)
      queue.push(waiting)
      letIn()
      return {
        hasCome,
        end() {
          leaveQueue()
          if (!isInside) return
          isInside = false
          inside.delete(address)
          letIn()
        },
      }
    },
  }
}
