import { Type, type Static } from 'typebox'
import { HOSTNAME_PATTERN } from './hostname.ts'
import { HEARTBEAT_INTERVAL_SECS, MAX_UPTIME_SECS, REPORT_REASONS } from './limits.ts'
import { Fingerprint, nullable, StorePath, SystemState, Timestamp } from './facts.ts'

export { BODY_LIMITS, HEARTBEAT_INTERVAL_SECS, REPORT_REASONS, type ReportReason } from './limits.ts'

/** `sha256:` and 64 hexadecimal digits: a report's id, or a state digest. */
export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })
const Version = Type.Literal(1)
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const BootId = nullable(
  Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' }),
)
const UptimeSeconds = Type.Integer({ minimum: 0, maximum: MAX_UPTIME_SECS })
const SkewSeconds = Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })

/** `POST /agent/heartbeat`: alive, nothing changed. `sequence` and `uptime_secs` as in protocol.md. */
export const Heartbeat = Type.Object({
  version: Version,
  sequence: Sequence,
  boot_id: BootId,
  uptime_secs: nullable(UptimeSeconds),
  clock_skew_secs: SkewSeconds,
  current_system: nullable(StorePath),
  state_digest: Digest,
  reported: nullable(Digest),
})
export type Heartbeat = Static<typeof Heartbeat>

/** `POST /agent/state`: the full report, kept byte for byte as evidence. */
export const StateReport = Type.Object({
  version: Version,
  sequence: Sequence,
  observed_at: Timestamp,
  reason: Type.Enum(REPORT_REASONS),
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
  hostname: Type.String({ pattern: HOSTNAME_PATTERN }),
  public_key: Type.String({ minLength: 44, maxLength: 44 }),
})
export type Enrollment = Static<typeof Enrollment>

export const HeartbeatReply = Type.Object({
  state: Type.Enum(['known', 'wanted']),
  heartbeat_interval_secs: Type.Optional(Type.Integer(HEARTBEAT_INTERVAL_SECS)),
})
export type HeartbeatReply = Static<typeof HeartbeatReply>

export const StateReply = Type.Object({ accepted: Digest, duplicate: Type.Boolean() })
export type StateReply = Static<typeof StateReply>

export const EnrollReply = Type.Object({
  system: Type.String(),
  key_id: Type.String(),
  status: Type.Enum(['active', 'pending']),
})
export type EnrollReply = Static<typeof EnrollReply>
