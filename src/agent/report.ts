import type { Fingerprint, SystemState } from '../protocol/facts.ts'
import { REPORT_REASONS, type ReportReason } from '../protocol/limits.ts'
import type { Heartbeat, StateReport } from '../protocol/messages.ts'
import { sha256Id, stateDigest } from '../protocol/digests.ts'
import { readObject } from './json.ts'
import type { ReportRecord } from './state.ts'

/** What the agent saw at one moment. */
export interface Observation {
  observedAtMs: number
  bootId: string | null
  system: SystemState | null
  fingerprint: Fingerprint
  /** Of `fingerprint` and `system`, as in protocol.md. */
  digest: string
  systemDigest: string
}

/** A report as it is kept and sent: `body` never changes. */
export interface Report extends ReportRecord {
  reason: ReportReason
  previous: string | null
  dropped: number
  body: Buffer
}

/** The members of a report that are not observed. */
export interface ReportHead {
  sequence: number
  reason: ReportReason
  previous: string | null
  dropped: number
  spoolFailed: boolean
  clockSkewSecs: number
}

export function buildReport(observation: Observation, head: ReportHead): Report {
  const document: StateReport = {
    version: 1,
    sequence: head.sequence,
    observed_at: new Date(observation.observedAtMs).toISOString(),
    reason: head.reason,
    previous: head.previous,
    dropped: head.dropped,
    spool_failed: head.spoolFailed,
    boot_id: observation.bootId,
    clock_skew_secs: head.clockSkewSecs,
    system: observation.system,
    fingerprint: observation.fingerprint,
  }
  const body = Buffer.from(JSON.stringify(document))
  return {
    id: sha256Id(body),
    sequence: head.sequence,
    digest: observation.digest,
    systemDigest: observation.systemDigest,
    bootId: observation.bootId,
    reason: head.reason,
    previous: head.previous,
    dropped: head.dropped,
    body,
  }
}

/** The same observation under another sequence and predecessor: for a sequence the server has already seen. */
export function renumberReport(body: Buffer, sequence: number, previous: string | null): Report {
  const document = { ...readObject(JSON.parse(body.toString('utf8'))), sequence, previous }
  return readReport(Buffer.from(JSON.stringify(document)))
}

/** Reads back a body of `buildReport`; throws when it is none. */
export function readReport(body: Buffer): Report {
  const document = readObject(JSON.parse(body.toString('utf8')))
  const { sequence, reason, previous, dropped, boot_id: bootId, fingerprint, system } = document
  if (
    document['version'] !== 1 ||
    typeof sequence !== 'number' ||
    !isReason(reason) ||
    !isTextOrNull(previous) ||
    typeof dropped !== 'number' ||
    !isTextOrNull(bootId)
  ) {
    throw new Error('not a state report of version 1')
  }
  return {
    id: sha256Id(body),
    sequence,
    digest: stateDigest({ fingerprint, system }),
    systemDigest: systemDigest(system),
    bootId,
    reason,
    previous,
    dropped,
    body,
  }
}

/** Tells whether the system, and not only the rest of the machine, has changed. Never leaves this machine. */
export function systemDigest(system: unknown): string {
  return sha256Id(JSON.stringify(system))
}

/** What a heartbeat says of the machine. */
export interface HeartbeatFacts {
  bootId: string | null
  uptimeSecs: number | null
  current: string | null
  digest: string
}

export interface HeartbeatHead {
  sequence: number
  clockSkewSecs: number
  reported: string | null
}

export function buildHeartbeat(facts: HeartbeatFacts, head: HeartbeatHead): Buffer {
  const document: Heartbeat = {
    version: 1,
    sequence: head.sequence,
    boot_id: facts.bootId,
    uptime_secs: facts.uptimeSecs,
    clock_skew_secs: head.clockSkewSecs,
    current_system: facts.current,
    state_digest: facts.digest,
    reported: head.reported,
  }
  return Buffer.from(JSON.stringify(document))
}

function isReason(value: unknown): value is ReportReason {
  return REPORT_REASONS.some((reason) => reason === value)
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
