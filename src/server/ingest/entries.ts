import { limitsFor } from '../../fleet/liveness.ts'
import { type FlagFacts, isSkewed } from '../../fleet/flags.ts'
import { sha256Id, stateDigest } from '../../protocol/digests.ts'
import type { Heartbeat, StateReport } from '../../protocol/messages.ts'
import type { SignedRequest } from '../../protocol/verify.ts'
import type { HeartbeatEntry } from '../../store/heartbeats.ts'
import type { RegisteredKey } from '../../store/keys.ts'
import type { Evidence, ReportEntry } from '../../store/reports.ts'
import type { ServerSettings } from '../context.ts'

/** The headers of a signed request as they came, beside the body they cover. */
export function evidenceOf(
  signed: SignedRequest,
  headers: { signatureInput: string; signature: string },
  body: Buffer,
): Evidence {
  return { body, ...signed.covered, ...headers }
}

/** A verified heartbeat as the store takes it. */
export function heartbeatEntry(
  key: RegisteredKey,
  heartbeat: Heartbeat,
  settings: ServerSettings,
): HeartbeatEntry {
  const intervalSecs = heartbeatIntervalSecs(settings)
  return {
    systemId: key.systemId,
    keyId: key.id,
    sequence: heartbeat.sequence,
    bootId: heartbeat.boot_id,
    uptimeSecs: heartbeat.uptime_secs,
    clockSkewSecs: heartbeat.clock_skew_secs,
    currentSystem: heartbeat.current_system,
    stateDigest: heartbeat.state_digest,
    reported: heartbeat.reported,
    protocol: 1,
    intervalSecs,
    offlineAfterSecs: offlineAfterSecs(settings, intervalSecs),
  }
}

/** A verified report as the store takes it, with the members this version does not know: they are part of the digest. */
export function reportEntry(
  key: RegisteredKey,
  report: StateReport,
  evidence: Evidence,
  settings: ServerSettings,
): ReportEntry {
  const intervalSecs = heartbeatIntervalSecs(settings)
  return {
    systemId: key.systemId,
    keyId: key.id,
    protocol: 1,
    id: sha256Id(evidence.body),
    sequence: report.sequence,
    observedAt: new Date(report.observed_at),
    reason: report.reason,
    previous: report.previous,
    dropped: report.dropped,
    bootId: report.boot_id,
    stateDigest: stateDigest({ fingerprint: report.fingerprint, system: report.system }),
    intervalSecs,
    offlineAfterSecs: offlineAfterSecs(settings, intervalSecs),
    facts: flagFacts(report),
    system: report.system,
    fingerprint: report.fingerprint,
    evidence,
  }
}

/**
 * How far the server's clock is ahead of the agent's, in seconds: what the agent says, and what its signature shows beyond
 * that. An agent measures its clock only when a signature was refused, at 300 s; below 30 s it may be the network.
 */
export function skewSecs(
  message: { clock_skew_secs: number },
  signed: Pick<SignedRequest, 'createdSecs'>,
  nowMs: number,
): number {
  const unnoticed = Math.round(nowMs / 1000 - signed.createdSecs)
  return message.clock_skew_secs + (isSkewed(unnoticed) ? unnoticed : 0)
}

/** What agents are asked for, in whole seconds as the protocol has it. */
export function heartbeatIntervalSecs(settings: ServerSettings): number {
  return Math.ceil(settings.heartbeatIntervalMs / 1000)
}

export function offlineAfterSecs(settings: ServerSettings, intervalSecs: number): number {
  return limitsFor(settings.liveness, intervalSecs).offlineAfterMs / 1000
}

export function flagFacts(
  report: Pick<
    StateReport,
    'system' | 'fingerprint' | 'spool_failed' | 'clock_skew_secs' | 'dropped' | 'previous'
  >,
): FlagFacts {
  const { system, fingerprint } = report
  return {
    hostname: fingerprint.software.hostname,
    machineIdDigest: fingerprint.software.machine_id_digest,
    productUuid: fingerprint.hardware.product_uuid,
    spoolFailed: report.spool_failed,
    clockSkewSecs: report.clock_skew_secs,
    dropped: report.dropped,
    previous: report.previous,
    system: system && {
      current: system.current,
      booted: system.booted,
      profile: system.profile,
      profileChangedAt: system.profile_changed_at,
      rebootNeeded: system.reboot_needed,
    },
  }
}
