import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { posix } from 'node:path'
import { explainError } from '../lib/errors.ts'
import type { AgentLogger } from './log.ts'
import type { Root } from './root.ts'
import { BOOTED_SYSTEM, CURRENT_SYSTEM, SYSTEM_PROFILE } from './system.ts'

const LINKS = [CURRENT_SYSTEM, BOOTED_SYSTEM, SYSTEM_PROFILE]

/** A burst is over after so long without an event. Every change waits for it: it is most of the time to being visible. */
const QUIET_MS = 40
/** It is cut here, so that collecting and sending fit into the second that a change may take. */
const BURST_MS = 600

/** For events that were lost and directories that came later or were made anew. */
const RECHECK_MS = 60_000

export interface Watch {
  /** Resolves when changes from now on are seen. */
  start: () => Promise<void>
  stop: () => void
}

export interface WatchOptions {
  root: Root
  log: AgentLogger
  /** The links point elsewhere than when it was called last. */
  onChange: () => void
  recheckMs?: number
}

interface Watched {
  path: string
  names: Set<string>
  handle: FSWatcher | null
  /** Device and inode of the directory watched. */
  identity: string | null
  /** Why it is not watched; said once. */
  trouble: string | null
}

/**
 * Watches the directories of the system's links: a watch on a link itself follows it and misses every change
 * (docs/architecture.md). An event names a file but not what happened, so the links are read again.
 */
export function createWatch({ root, log, onChange, recheckMs = RECHECK_MS }: WatchOptions): Watch {
  const directories = groupByDirectory()
  let targets = ''
  let events = 0
  let quiet: NodeJS.Timeout | undefined
  let burst: NodeJS.Timeout | undefined
  let recheck: NodeJS.Timeout | undefined
  let stopped = false

  const settle = (): void => {
    clearTimeout(quiet)
    clearTimeout(burst)
    quiet = undefined
    burst = undefined
    void compare()
  }

  const compare = async (): Promise<void> => {
    const now = await readTargets(root)
    if (stopped || now === targets) return
    targets = now
    onChange()
  }

  const onEvent = (): void => {
    events += 1
    clearTimeout(quiet)
    quiet = setTimeout(onQuiet, QUIET_MS)
    burst ??= setTimeout(settle, BURST_MS)
  }

  /** After a busy moment the timer runs before the events that came meanwhile; they are let in first. */
  const onQuiet = (): void => {
    const seen = events
    setImmediate(() => {
      if (events === seen && !stopped) settle()
    })
  }

  const attach = async (directory: Watched): Promise<void> => {
    const host = await root.hostPath(directory.path)
    const { dev, ino } = await stat(host)
    const identity = `${dev}:${ino}`
    if (stopped || identity === directory.identity) return
    directory.handle?.close()
    directory.identity = identity
    directory.handle = watch(host, { persistent: false }, (_event, name) => {
      if (name === null || directory.names.has(name)) onEvent()
    })
    directory.trouble = null
    directory.handle.on('error', (error) => giveUp(directory, error))
  }

  const giveUp = (directory: Watched, error: unknown): void => {
    detach(directory)
    const trouble = explainError(error)
    if (trouble === directory.trouble) return
    directory.trouble = trouble
    log.warn(`${directory.path} cannot be watched, only looked at every ${recheckMs / 1000} s: ${trouble}`)
  }

  const attachAll = async (): Promise<void> => {
    for (const directory of directories) {
      await attach(directory).catch((error: unknown) => giveUp(directory, error))
    }
  }

  const look = async (): Promise<void> => {
    await attachAll()
    await compare()
    scheduleRecheck()
  }

  const scheduleRecheck = (): void => {
    if (!stopped) recheck = setTimeout(() => void look(), recheckMs)
  }

  return {
    start: async () => {
      await attachAll()
      targets = await readTargets(root)
      scheduleRecheck()
    },
    stop: () => {
      stopped = true
      clearTimeout(quiet)
      clearTimeout(burst)
      clearTimeout(recheck)
      for (const directory of directories) detach(directory)
    },
  }
}

function detach(directory: Watched): void {
  directory.handle?.close()
  directory.handle = null
  directory.identity = null
}

function groupByDirectory(): Watched[] {
  const directories = new Map<string, Watched>()
  for (const link of LINKS) {
    const path = posix.dirname(link)
    const directory = directories.get(path) ?? {
      path,
      names: new Set(),
      handle: null,
      identity: null,
      trouble: null,
    }
    directory.names.add(posix.basename(link))
    directories.set(path, directory)
  }
  return [...directories.values()]
}

/** Where the links point now, as one text to compare. */
async function readTargets(root: Root): Promise<string> {
  const targets = await Promise.all(LINKS.map((link) => root.readLink(link).catch(() => null)))
  return JSON.stringify(targets)
}
