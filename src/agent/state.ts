import { readFile, rename } from 'node:fs/promises'
import { errorCode } from '../lib/errors.ts'
import { writeFileDurably } from '../lib/files.ts'
import { readObject } from './json.ts'
import type { AgentLogger } from './log.ts'

/** What the agent remembers of a report it made. */
export interface ReportRecord {
  id: string
  sequence: number
  /** The state digest: of fingerprint and system. */
  digest: string
  systemDigest: string
  bootId: string | null
}

/** What has to outlive the process. */
export interface AgentState {
  /** The last sequence used, per endpoint. */
  sequences: { heartbeat: number; state: number }
  made: ReportRecord | null
  accepted: ReportRecord | null
  /** Reports lost or set aside since `made`. */
  dropped: number
  /** Id of the report counted last in `dropped`: after a crash its file may still be in the spool. */
  discarded: string | null
  /** A report since `made`, or `made` itself, could not be spooled. */
  spoolFailed: boolean
  /** The server's time minus ours, where ours is so wrong that signatures were refused. */
  clockOffsetMs: number
  /** When `requested` reports were made, by state digest. */
  requested: { digest: string; atMs: number }[]
}

const VERSION = 1

export const emptyState = (): AgentState => ({
  sequences: { heartbeat: 0, state: 0 },
  made: null,
  accepted: null,
  dropped: 0,
  discarded: null,
  spoolFailed: false,
  clockOffsetMs: 0,
  requested: [],
})

/** The report is the last one made from now on. */
export function recordMade(state: AgentState, report: ReportRecord): void {
  state.made = toRecord(report)
  state.sequences.state = Math.max(state.sequences.state, report.sequence)
}

export function toRecord({ id, sequence, digest, systemDigest, bootId }: ReportRecord): ReportRecord {
  return { id, sequence, digest, systemDigest, bootId }
}

export async function writeState(path: string, state: AgentState): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify({ version: VERSION, ...state })}\n`, { mode: 0o600 })
}

/**
 * The state at `path`, empty where there is none. A file that cannot be read or understood does not keep the agent from
 * reporting: it is moved aside to `<path>.corrupt`, sequences go on from the clock, the chain from the spool or anew, and
 * the next report says `spool_failed`.
 */
export async function readState(path: string, log: AgentLogger): Promise<AgentState> {
  try {
    return parseState(await readFile(path, 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return emptyState()
    log.error({ err: error, path }, "the agent's state cannot be used; starting anew")
    await rename(path, `${path}.corrupt`).catch((failure: unknown) => {
      log.error({ err: failure, path }, 'it cannot be moved aside either')
    })
    return { ...emptyState(), spoolFailed: true }
  }
}

function parseState(text: string): AgentState {
  const value = readObject(JSON.parse(text))
  if (value['version'] !== VERSION) throw new Error(`version is not ${VERSION}`)
  const sequences = readObject(value['sequences'])
  return {
    sequences: { heartbeat: count(sequences['heartbeat']), state: count(sequences['state']) },
    made: record(value['made']),
    accepted: record(value['accepted']),
    dropped: count(value['dropped']),
    discarded: textOrNull(value['discarded']),
    spoolFailed: value['spoolFailed'] === true,
    clockOffsetMs: finite(value['clockOffsetMs']),
    requested: list(value['requested']).map((each) => {
      const { digest, atMs } = readObject(each)
      return { digest: string(digest), atMs: finite(atMs) }
    }),
  }
}

function record(value: unknown): ReportRecord | null {
  if (value === null) return null
  const object = readObject(value)
  return {
    id: string(object['id']),
    sequence: count(object['sequence']),
    digest: string(object['digest']),
    systemDigest: string(object['systemDigest']),
    bootId: textOrNull(object['bootId']),
  }
}

function count(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`not a count: ${JSON.stringify(value)}`)
}

function finite(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Error(`not a number: ${JSON.stringify(value)}`)
}

function string(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Error(`not a text: ${JSON.stringify(value)}`)
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : string(value)
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw new Error(`not a list: ${JSON.stringify(value)}`)
}
