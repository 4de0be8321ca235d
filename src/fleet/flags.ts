import { isBroken, type Chain } from './chain.ts'

export const FLAGS = [
  'reboot_needed',
  'profile_mismatch',
  'identity_conflict',
  'chain_broken',
  'history_lost',
  'spool_failed',
  'clock_skew',
  'hostname_changed',
] as const
export type Flag = (typeof FLAGS)[number]

/** Stay until an operator acknowledges them: what raised them may not show again. */
export const STICKY_FLAGS: readonly Flag[] = ['identity_conflict', 'chain_broken', 'history_lost']

/** From 30 s on, either way. */
export const CLOCK_SKEW_SECS = 30

/** The facts that decide a flag, as they are shown. */
export type FlagDetails = Record<string, string | number | boolean | null | readonly string[]>
export type RaisedFlags = Partial<Record<Flag, FlagDetails>>

/** What of a report decides flags. Paths are store paths, `observedAt` and `profileChangedAt` ISO 8601. */
export interface FlagFacts {
  hostname: string | null
  machineIdDigest: string | null
  productUuid: string | null
  spoolFailed: boolean
  clockSkewSecs: number
  dropped: number
  previous: string | null
  system: {
    current: string | null
    booted: string | null
    profile: string | null
    profileChangedAt: string | null
    rebootNeeded: readonly string[] | null
  } | null
}

/** What is known of the system before the report. */
export interface KnownIdentity {
  registeredHostname: string
  newest: string | null
  machineIdDigest: string | null
  productUuid: string | null
}

/** All flags one accepted report raises; the ones it does not raise end, unless they are sticky. */
export function flagsOfReport(facts: FlagFacts, known: KnownIdentity, chain: Chain): RaisedFlags {
  const raised: RaisedFlags = {}
  const parts = facts.system?.rebootNeeded ?? []
  if (parts.length > 0) raised.reboot_needed = { parts }
  const mismatch = profileMismatch(facts.system)
  if (mismatch !== null) raised.profile_mismatch = mismatch
  const conflict = chain === 'continues' ? null : otherMachine(facts, known)
  if (conflict !== null) raised.identity_conflict = conflict
  if (isBroken(chain))
    raised.chain_broken = {
      chain,
      expected_previous: known.newest,
      previous: facts.previous,
      dropped: facts.dropped,
    }
  if (facts.spoolFailed) raised.spool_failed = {}
  if (isSkewed(facts.clockSkewSecs)) raised.clock_skew = { clock_skew_secs: facts.clockSkewSecs }
  if (facts.hostname !== null && !sameHostname(facts.hostname, known.registeredHostname))
    raised.hostname_changed = { registered: known.registeredHostname, reported: facts.hostname }
  return raised
}

export function isSkewed(clockSkewSecs: number): boolean {
  return Math.abs(clockSkewSecs) >= CLOCK_SKEW_SECS
}

/** Host names are compared without case (RFC 4343). */
export function sameHostname(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function profileMismatch(system: FlagFacts['system']): FlagDetails | null {
  if (system === null) return null
  const { current, booted, profile, profileChangedAt } = system
  if (current === null || profile === null || current === profile) return null
  return { current, booted, profile, profile_changed_at: profileChangedAt }
}

function otherMachine(facts: FlagFacts, known: KnownIdentity): FlagDetails | null {
  if (differ(facts.machineIdDigest, known.machineIdDigest))
    return { fact: 'machine_id_digest', before: known.machineIdDigest, now: facts.machineIdDigest }
  if (differ(lowerCase(facts.productUuid), lowerCase(known.productUuid)))
    return { fact: 'product_uuid', before: known.productUuid, now: facts.productUuid }
  return null
}

/** A UUID means the same in both cases (RFC 9562, section 4), and kernels and agents have written both. */
function lowerCase(uuid: string | null): string | null {
  return uuid === null ? null : uuid.toLowerCase()
}

/** Two facts differ only where both are known. */
function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b
}
