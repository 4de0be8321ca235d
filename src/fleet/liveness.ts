export type Liveness = 'online' | 'late' | 'offline' | 'never_seen'
export const LIVENESS: readonly Liveness[] = ['online', 'late', 'offline', 'never_seen']

/** Milliseconds, from `[liveness]`. */
export interface LivenessLimits {
  lateAfterMs: number
  offlineAfterMs: number
}

/**
 * The limits that hold for one system: the settings, or 3 and 10 times the system's own heartbeat interval where
 * that is longer.
 */
export function limitsFor(settings: LivenessLimits, intervalSecs: number): LivenessLimits {
  return {
    lateAfterMs: Math.max(settings.lateAfterMs, 3 * intervalSecs * 1000),
    offlineAfterMs: Math.max(settings.offlineAfterMs, 10 * intervalSecs * 1000),
  }
}

/**
 * How alive a system is, from its last contact of any kind. Both times are milliseconds since the epoch; a limit
 * itself still counts as the better state. A contact in the future (two servers' clocks differ) is online.
 */
export function liveness(lastContact: number | null, now: number, limits: LivenessLimits): Liveness {
  if (lastContact === null) return 'never_seen'
  const silence = now - lastContact
  if (silence <= limits.lateAfterMs) return 'online'
  return silence <= limits.offlineAfterMs ? 'late' : 'offline'
}
