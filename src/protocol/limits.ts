/**
 * The numbers and names both sides have to agree on, apart from the schemas: an agent that imported those would carry the
 * schema library.
 */

/** Bytes; a larger body is 413 `too-large`. */
export const BODY_LIMITS = { heartbeat: 16 * 1024, state: 1024 * 1024, enroll: 16 * 1024 } as const

/** Seconds a server may ask for as heartbeat interval. */
export const HEARTBEAT_INTERVAL_SECS = { minimum: 10, maximum: 3600 } as const

/** Why a state report was made. */
export const REPORT_REASONS = ['startup', 'config_change', 'state_delta', 'requested'] as const
export type ReportReason = (typeof REPORT_REASONS)[number]

/** The parts of a booted system that a switch cannot replace. */
export const REBOOT_PARTS = ['kernel', 'initrd', 'kernel-modules', 'kernel-params'] as const

/** Most elements of the arrays of a fingerprint, and most characters of its texts. */
export const MAX_DISKS = 64
export const MAX_INTERFACES = 128
export const MAX_ADDRESSES = 32
export const MAX_GATEWAYS = 32
export const MAX_TEXT = 1024
export const MAX_ADDRESS_TEXT = 64
export const MAX_HOSTNAME = 253

/** A hundred years: the server subtracts it from its clock, and a timestamp does not hold every number of seconds. */
export const MAX_UPTIME_SECS = 3_155_760_000
