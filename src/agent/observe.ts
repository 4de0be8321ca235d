import type { Clock } from '../lib/clock.ts'
import { stateDigest } from '../protocol/digests.ts'
import type { Fingerprint } from '../protocol/facts.ts'
import { readBoot, type Boot } from './boot.ts'
import { createNotes, type Unreadable } from './facts/notes.ts'
import type { AgentLogger } from './log.ts'
import { systemDigest, type HeartbeatFacts, type Observation } from './report.ts'
import type { Root } from './root.ts'
import { readSystemState } from './system.ts'

export interface Observed {
  observation: Observation
  boot: Boot
}

export interface Observer {
  /** Rejects when the machine cannot be looked at, or not in time: a file system can hang. */
  observe: () => Promise<Observed>
  /** What a heartbeat can still say then; `digest` is the last that is known. Never rejects. */
  observeLittle: (digest: string) => Promise<HeartbeatFacts>
}

export interface ObserverOptions {
  root: Root
  agentVersion: string
  clock: Clock
  log: AgentLogger
  collect: (
    root: Root,
    options: { agentVersion: string },
  ) => Promise<{ fingerprint: Fingerprint; unreadable: Unreadable[] }>
  timeoutMs: number
}

export const LOOK_TIMEOUT_MS = 10_000

export function createObserver(options: ObserverOptions): Observer {
  const { root, agentVersion, clock, log, collect, timeoutMs } = options
  let lastUnreadable = '[]'
  let looking: Promise<Observed> | null = null

  /** Most of them never change on a machine, so they are said when they do. */
  const logUnreadable = (unreadable: Unreadable[]): void => {
    const text = JSON.stringify(unreadable)
    if (text === lastUnreadable) return
    lastUnreadable = text
    log.info({ unreadable }, unreadable.length === 0 ? 'all facts can be read' : 'some facts cannot be read')
  }

  const look = async (): Promise<Observed> => {
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
  }

  return {
    observe: async () => {
      // One that hangs is waited for again; another would hang too, and take a thread with it.
      looking ??= look().finally(() => {
        looking = null
      })
      return await inTime(looking, timeoutMs)
    },
    observeLittle: async (digest) => {
      const [system, boot] = await Promise.allSettled([
        inTime(readSystemState(root), timeoutMs),
        inTime(readBoot(root), timeoutMs),
      ])
      return {
        bootId: boot.status === 'fulfilled' ? boot.value.bootId : null,
        uptimeSecs: boot.status === 'fulfilled' ? boot.value.uptimeSecs : null,
        current: system.status === 'fulfilled' ? (system.value?.current ?? null) : null,
        digest,
      }
    },
  }
}

async function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`reading takes longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}
