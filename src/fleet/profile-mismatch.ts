/**
 * - `test`: what runs is neither what was booted nor the profile; gone after a reboot
 * - `staged`: the profile was changed after the boot; comes with the next one
 * - `old_generation`: the profile was changed before the boot; an older generation was booted
 */
export type ProfileMismatchKind = 'test' | 'staged' | 'old_generation'

/**
 * The kind of a profile mismatch, or null while it cannot be told: an unread booted link, or
 * no heartbeat of this boot yet. Times are milliseconds since the epoch.
 */
export function profileMismatchKind(facts: {
  current: string
  booted: string | null
  profileChangedAt: number | null
  bootedAt: number | null
}): ProfileMismatchKind | null {
  if (facts.booted === null) return null
  if (facts.current !== facts.booted) return 'test'
  if (facts.profileChangedAt === null || facts.bootedAt === null) return null
  return facts.profileChangedAt > facts.bootedAt ? 'staged' : 'old_generation'
}
