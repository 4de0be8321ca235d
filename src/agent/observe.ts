import type { Clock } from '../lib/clock.ts'
import { explainError } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'
import { stateDigest } from '../protocol/digests.ts'
import type { Fingerprint } from '../protocol/facts.ts'
import { readBoot, type Boot } from './boot.ts'
import { createNotes, type Unreadable } from './facts/notes.ts'
import { systemDigest, type HeartbeatFacts, type Observation } from './report.ts'
import type { Root } from './root.ts'
import { readSystemState } from './system.ts'

export interface Observer {
  /** Rejects when the fingerprint cannot be collected at all. */
  observe: () => Promise<{ observation: Observation; boot: Boot }>
  /** What a heartbeat can still say then; `digest` is the last that is known. */
  observeLittle: (digest: string) => Promise<HeartbeatFacts>
}

export interface ObserverOptions {
  root: Root
  agentVersion: string
  clock: Clock
  log: Logger
  collect: (
    root: Root,
    options: { agentVersion: string },
  ) => Promise<{ fingerprint: Fingerprint; unreadable: Unreadable[] }>
}

export function createObserver({ root, agentVersion, clock, log, collect }: ObserverOptions): Observer {
  let lastUnreadable = '[]'

  /** Most of them never change on a machine, so they are said when they do. */
  const logUnreadable = (unreadable: Unreadable[]): void => {
    const text = JSON.stringify(unreadable)
    if (text === lastUnreadable) return
    lastUnreadable = text
    log.info({ unreadable }, unreadable.length === 0 ? 'all facts can be read' : 'some facts cannot be read')
  }

  return {
    observe: async () => {
      const observedAtMs = clock()
      const notes = createNotes()
      const [{ fingerprint, unreadable }, system, boot] = await Promise.all([
        collect(root, { agentVersion }),
        readSystemState(root, notes),
        readBoot(root),
      ])
      logUnreadable([...unreadable, ...notes.list()])
      const observation = {
        observedAtMs,
        bootId: boot.bootId,
        system,
        fingerprint,
        digest: stateDigest({ fingerprint, system }),
        systemDigest: systemDigest(system),
      }
      return { observation, boot }
    },
    observeLittle: async (digest) => {
      const [system, boot] = await Promise.all([
        readSystemState(root).catch((error: unknown) => {
          log.warn(`the system's state cannot be read: ${explainError(error)}`)
          return null
        }),
        readBoot(root),
      ])
      return { ...boot, current: system?.current ?? null, digest }
    },
  }
}
