import type { Random } from './random.ts'
import type { Captured, Deliver, Reply } from './recording-proxy.ts'
import { count } from './proxy-record.ts'

const DISTURBANCES = ['sent twice', 'copy held back', 'answer lost', 'request held back'] as const

export interface Disturber {
  deliver: Deliver
  /** How often each was done. */
  done: Map<string, number>
  /** Answers to copies, which no agent has seen: `/agent/state 200`. */
  copies: Map<string, number>
  /** Sends what is still held back. */
  flush: () => Promise<void>
}

/**
 * Repeats and reorders so many of the requests. What is held back arrives after 1 to 10 others, so that the server sees
 * old requests after new ones; of a request that is held back the agent hears nothing.
 */
export function createDisturber(random: Random, probability: number): Disturber {
  const done = new Map<string, number>()
  const copies = new Map<string, number>()
  let held: { after: number; send: () => Promise<void> }[] = []

  const hold = (captured: Captured, forward: (captured: Captured) => Promise<Reply>): void => {
    const send = async (): Promise<void> => {
      const { status } = await forward(captured)
      count(copies, `${captured.endpoint} ${status}`)
    }
    held.push({ after: random.integer(1, 10), send })
  }

  const sendHeld = async (): Promise<void> => {
    for (const each of held) each.after -= 1
    const due = held.filter(({ after }) => after <= 0)
    held = held.filter(({ after }) => after > 0)
    await Promise.all(due.map(({ send }) => send()))
  }

  const disturb: Deliver = async (captured, forward) => {
    const disturbance = random.pick(DISTURBANCES)
    count(done, disturbance)
    switch (disturbance) {
      case 'sent twice': {
        const replies = await Promise.all([forward(captured), forward(captured)])
        const reply = random.pick([replies[0], replies[1]])
        for (const other of replies)
          if (other !== reply) count(copies, `${captured.endpoint} ${other.status}`)
        return reply
      }
      case 'copy held back':
        hold(captured, forward)
        return await forward(captured)
      case 'answer lost':
        await forward(captured)
        break
      case 'request held back':
        hold(captured, forward)
    }
    return 'reset'
  }

  return {
    done,
    copies,
    deliver: async (captured, forward) => {
      await sendHeld()
      return await (random.chance(probability) ? disturb(captured, forward) : forward(captured))
    },
    flush: async () => {
      while (held.length > 0) await sendHeld()
    },
  }
}
