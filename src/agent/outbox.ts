import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { ReportReason } from '../protocol/limits.ts'
import type { AgentLogger } from './log.ts'
import { createMutex } from './mutex.ts'
import { SEQUENCE_LIMIT } from './received-problem.ts'
import { isSettled, reconcile } from './recovery.ts'
import {
  buildHeartbeat,
  buildReport,
  renumberReport,
  type HeartbeatFacts,
  type Observation,
  type Report,
} from './report.ts'
import { openSpool, type SpoolLimits, type Spooled } from './spool.ts'
import { readState, recordMade, toRecord, writeState, type AgentState } from './state.ts'

/** A `requested` report is made at most once in this time for one digest. */
const REQUEST_PAUSE_MS = 10 * 60_000

export interface Outgoing {
  report: Spooled
  body: Buffer
}

/**
 * What the agent has made and what became of it: the state file and the spool, changed together, one change at a
 * time. Nothing here throws because a disk is full or read-only: then memory has to do, and the log says so.
 */
export interface Outbox {
  state: Readonly<AgentState>
  /** Adds a report at the end of the spool. */
  make: (observation: Observation, reason: ReportReason) => Promise<void>
  /** As `make` with reason `requested`; false when this digest's turn has not come again. */
  makeRequested: (observation: Observation) => Promise<boolean>
  heartbeat: (facts: HeartbeatFacts) => Promise<Buffer>
  /** The report to send next; it is neither dropped nor renumbered until one of the four below is called. */
  next: () => Promise<Outgoing | null>
  accepted: (report: Spooled) => Promise<void>
  setAside: (report: Spooled) => Promise<void>
  renumber: (lastSequence: number | null) => Promise<void>
  unsent: () => void
  /** The server has seen heartbeats up to this one. */
  skipHeartbeats: (lastSequence: number | null) => void
  correctClock: (offsetMs: number) => Promise<void>
  isEmpty: () => boolean
  /** Writes what could not be written before; what is lost for good is counted. */
  close: () => Promise<void>
}

export interface OutboxOptions {
  stateDir: string
  clock: Clock
  log: AgentLogger
  limits: SpoolLimits
}

/** Opens state and spool below `stateDir`, and makes the one follow from the other where a crash parted them. */
export async function openOutbox({ stateDir, clock, log, limits }: OutboxOptions): Promise<Outbox> {
  const statePath = join(stateDir, 'state.json')
  const state = await readState(statePath, log)
  const { spool, damaged } = await openSpool({ stateDir, limits, log })
  const locked = createMutex()
  let sending: Spooled | null = null
  let saved = true

  const save = async (): Promise<void> => {
    try {
      await writeState(statePath, state)
      if (!saved) log.info('the state can be written again')
      saved = true
    } catch (error) {
      if (saved) log.error({ err: error }, 'the state cannot be written; it is kept in memory')
      saved = false
    }
  }

  const nextSequence = (last: number): number => {
    const now = clock()
    return Math.max(last + 1, now < SEQUENCE_LIMIT ? now : 0)
  }

  /** Counted before the file goes, and by id, so that a crash between the two counts it once. */
  const countDiscarded = async (id: string): Promise<void> => {
    if (state.discarded === id) return
    state.dropped += 1
    state.discarded = id
    await save()
  }

  const build = (observation: Observation, reason: ReportReason): Report =>
    buildReport(observation, {
      sequence: nextSequence(state.sequences.state),
      reason,
      previous: state.made?.id ?? null,
      dropped: state.dropped,
      spoolFailed: state.spoolFailed,
      clockSkewSecs: skewSecs(state),
    })

  const make = async (observation: Observation, reason: ReportReason): Promise<void> => {
    const { length } = build(observation, reason).body
    for (let victim = findVictim(length); victim !== null; victim = findVictim(length)) {
      log.warn({ report: victim.id, reason: victim.reason }, 'the spool is full; a report is dropped')
      await countDiscarded(victim.id)
      await spool.remove(victim)
    }
    const report = build(observation, reason)
    const stored = await spool.append(report)
    recordMade(state, report)
    state.dropped = 0
    state.spoolFailed = !stored
    await save()
    log.info({ report: report.id, reason, sequence: report.sequence }, 'report made')
  }

  const findVictim = (size: number): Spooled | null => spool.victim(size, sending?.id ?? null)

  const next = async (): Promise<Outgoing | null> => {
    for (let report = spool.reports[0]; report !== undefined; report = spool.reports[0]) {
      const body = await spool.read(report)
      if (body !== null) {
        sending = report
        return { report, body }
      }
      log.error({ report: report.id }, 'a spooled report is damaged; it is set aside')
      await countDiscarded(report.id)
      await spool.setAside(report)
    }
    return null
  }

  const renumber = async (lastSequence: number | null): Promise<void> => {
    const renumbered: Report[] = []
    let last = Math.max(state.sequences.state, lastSequence ?? 0)
    let previous = spool.reports[0]?.previous ?? null
    for (const report of spool.reports) {
      const body = await spool.read(report)
      if (body === null) {
        await countDiscarded(report.id)
        continue
      }
      const again = renumberReport(body, nextSequence(last), previous)
      last = again.sequence
      previous = again.id
      renumbered.push(again)
    }
    const stored = await spool.replaceAll(renumbered)
    const newest = renumbered.at(-1)
    if (newest !== undefined) recordMade(state, newest)
    state.sequences.state = last
    if (!stored) state.spoolFailed = true
    await save()
  }

  for (const file of damaged) {
    log.error({ report: file.id }, 'a spooled report is damaged; it is set aside')
    await countDiscarded(file.id)
    await spool.setAside(file)
  }
  for (const report of spool.reports.filter((each) => isSettled(state, each))) await spool.remove(report)
  reconcile(state, spool.reports)

  return {
    state,
    make: (observation, reason) => locked(() => make(observation, reason)),
    makeRequested: (observation) =>
      locked(async () => {
        const now = clock()
        state.requested = state.requested.filter(({ atMs }) => atMs <= now && now - atMs < REQUEST_PAUSE_MS)
        if (state.requested.some(({ digest }) => digest === observation.digest)) return false
        state.requested.push({ digest: observation.digest, atMs: now })
        await make(observation, 'requested')
        return true
      }),
    heartbeat: (facts) =>
      locked(async () => {
        state.sequences.heartbeat = nextSequence(state.sequences.heartbeat)
        await save()
        return buildHeartbeat(facts, {
          sequence: state.sequences.heartbeat,
          clockSkewSecs: skewSecs(state),
          reported: state.accepted?.id ?? null,
        })
      }),
    next: () => locked(next),
    accepted: (report) =>
      locked(async () => {
        sending = null
        if (report.sequence > (state.accepted?.sequence ?? 0)) state.accepted = toRecord(report)
        await save()
        await spool.remove(report)
      }),
    setAside: (report) =>
      locked(async () => {
        sending = null
        await countDiscarded(report.id)
        await spool.setAside(report)
      }),
    renumber: (lastSequence) =>
      locked(async () => {
        sending = null
        await renumber(lastSequence)
      }),
    unsent: () => {
      sending = null
    },
    skipHeartbeats: (lastSequence) => {
      state.sequences.heartbeat = Math.max(state.sequences.heartbeat, lastSequence ?? 0)
    },
    correctClock: (offsetMs) =>
      locked(async () => {
        state.clockOffsetMs = offsetMs
        await save()
      }),
    isEmpty: () => spool.reports.length === 0,
    close: () =>
      locked(async () => {
        if (await spool.persist()) return
        const lost = spool.reports.filter((report) => report.unwritten !== null)
        state.dropped += lost.length
        await save()
        log.error({ reports: lost.length }, 'reports are lost, as the spool cannot be written')
      }),
  }
}

/** How many seconds the server's clock is ahead of this machine's. */
function skewSecs({ clockOffsetMs }: AgentState): number {
  return Math.round(clockOffsetMs / 1000)
}
