import { Type, type Static } from 'typebox'
import { Fingerprint, nullable, StorePath, SystemState, Timestamp } from './facts.ts'

/** `sha256:` and 64 hexadecimal digits: a report's id, or a state digest. */
export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })
const Version = Type.Literal(1)
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const BootId = nullable(
  Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' }),
)
const Seconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const SkewSeconds = Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })

/** `POST /agent/heartbeat`: alive, nothing changed. `sequence` and `uptime_secs` as in protocol.md. */
export const Heartbeat = Type.Object({
  version: Version,
  sequence: Sequence,
  boot_id: BootId,
  uptime_secs: nullable(Seconds),
  clock_skew_secs: SkewSeconds,
  current_system: nullable(StorePath),
  state_digest: Digest,
  reported: nullable(Digest),
})
export type Heartbeat = Static<typeof Heartbeat>

export const REPORT_REASONS = ['startup', 'config_change', 'state_delta', 'requested'] as const
export type ReportReason = (typeof REPORT_REASONS)[number]

/** `POST /agent/state`: the full report, kept byte for byte as evidence. */
export const StateReport = Type.Object({
  version: Version,
  sequence: Sequence,
  observed_at: Timestamp,
  reason: Type.Union(REPORT_REASONS.map((reason) => Type.Literal(reason))),
  previous: nullable(Digest),
  dropped: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  spool_failed: Type.Boolean(),
  boot_id: BootId,
  clock_skew_secs: SkewSeconds,
  system: nullable(SystemState),
  fingerprint: Fingerprint,
})
export type StateReport = Static<typeof StateReport>

/** `POST /agent/enroll`, signed by the key that asks to be let in. */
export const Enrollment = Type.Object({
  version: Version,
  token: Type.String({ minLength: 1, maxLength: 256 }),
  hostname: Type.String({ minLength: 1, maxLength: 253 }),
  public_key: Type.String({ minLength: 44, maxLength: 44 }),
})
export type Enrollment = Static<typeof Enrollment>

export const HEARTBEAT_INTERVAL_SECS = { minimum: 10, maximum: 3600 } as const

export const HeartbeatReply = Type.Object({
  state: Type.Union([Type.Literal('known'), Type.Literal('wanted')]),
  heartbeat_interval_secs: Type.Optional(Type.Integer(HEARTBEAT_INTERVAL_SECS)),
})
export type HeartbeatReply = Static<typeof HeartbeatReply>

export const StateReply = Type.Object({ accepted: Digest, duplicate: Type.Boolean() })
export type StateReply = Static<typeof StateReply>

export const EnrollReply = Type.Object({
  system: Type.String(),
  key_id: Type.String(),
  status: Type.Union([Type.Literal('active'), Type.Literal('pending')]),
})
export type EnrollReply = Static<typeof EnrollReply>

/** Bytes; a larger body is 413 `too-large`. */
export const BODY_LIMITS = { heartbeat: 16 * 1024, state: 1024 * 1024, enroll: 16 * 1024 } as const
