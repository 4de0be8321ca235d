import { Type, type Static, type TSchema } from 'typebox'
import { nullable, Timestamp } from './facts.ts'
import { decodeBase64 } from './keys.ts'
import { MAX_ADDRESS_TEXT, MAX_HOSTNAME, MAX_TEXT, MAX_UPTIME_SECS } from './limits.ts'
import { createParser } from './parse.ts'
import { Problem } from './problems.ts'
import { parseTimestamp } from './timestamp.ts'
import { MAX_CLOCK_DISTANCE_SECS } from './verify.ts'

/** Version 0 sends null for what it does not know, and its older agents leave newer fields out. */
const optional = <T extends TSchema>(schema: T) => Type.Optional(nullable(schema))

const text = optional(Type.String({ maxLength: MAX_TEXT }))
const addressText = optional(Type.String({ maxLength: MAX_ADDRESS_TEXT }))
const flag = optional(Type.Boolean())

/**
 * The flat message of version 0, to all three of its endpoints. Fields that nothing is made of (`id`, `agent_build_hash`,
 * `agent_compatible`, `partial_data`) may be anything; the evidence keeps them.
 */
export const Version0 = Type.Object({
  hostname: Type.String({ minLength: 1, maxLength: MAX_HOSTNAME }),
  change_reason: Type.Enum(['startup', 'config_change', 'heartbeat', 'state_delta']),
  timestamp: Timestamp,
  derivation_path: text,
  store_path: text,
  os: text,
  kernel: text,
  /** In fact MiB, and sometimes a fraction. */
  memory_gb: optional(Type.Number({ minimum: 0, maximum: 2 ** 32 })),
  uptime_secs: optional(Type.Number({ minimum: 0, maximum: MAX_UPTIME_SECS })),
  cpu_brand: text,
  cpu_cores: optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  board_serial: text,
  product_uuid: text,
  rootfs_uuid: text,
  chassis_serial: text,
  bios_version: text,
  cpu_microcode: text,
  network_interfaces: Type.Optional(Type.Unknown()),
  primary_mac_address: text,
  primary_ip_address: addressText,
  gateway_ip: addressText,
  selinux_status: text,
  tpm_present: flag,
  secure_boot_enabled: flag,
  fips_mode: flag,
  agent_version: text,
  nixos_version: text,
})
export type Version0 = Static<typeof Version0>

/** A version 0 body; errors as of `createParser`. The caller compares `hostname` with the system of the key. */
export const parseVersion0 = createParser(Version0)

/**
 * The headers of a version 0 request: the host name in `X-Key-ID`, and in `X-Signature` padded base64 of the 64 bytes of
 * the Ed25519 signature over the raw body. Throws Problem `unsigned` when one is missing, `malformed` when it is wrong.
 */
export function readVersion0Signature(headers: {
  keyId: string | undefined
  signature: string | undefined
}): {
  hostname: string
  signatureBytes: Buffer
} {
  const { keyId, signature } = headers
  if (keyId === undefined || keyId === '' || signature === undefined) {
    throw new Problem('unsigned', 'the request has to carry X-Key-ID and X-Signature')
  }
  if (keyId.length > MAX_HOSTNAME)
    throw new Problem('malformed', 'X-Key-ID is longer than a host name can be')
  const signatureBytes = decodeBase64(signature.trim())
  if (signatureBytes?.length !== 64) {
    throw new Problem('malformed', 'X-Signature is not padded base64 of 64 bytes')
  }
  return { hostname: keyId, signatureBytes }
}

/**
 * Milliseconds since the epoch of a version 0 message. Throws Problem `stale-signature` unless that is within
 * `MAX_CLOCK_DISTANCE_SECS` of `nowMs`: this timestamp is all that dates a version 0 signature.
 */
export function checkVersion0Freshness({ timestamp }: Pick<Version0, 'timestamp'>, nowMs: number): number {
  const sentMs = parseTimestamp(timestamp)
  if (sentMs === null || Math.abs(nowMs - sentMs) > MAX_CLOCK_DISTANCE_SECS * 1000) {
    throw new Problem(
      'stale-signature',
      `timestamp ${timestamp} is more than ${MAX_CLOCK_DISTANCE_SECS} s from this server's clock`,
    )
  }
  return sentMs
}
