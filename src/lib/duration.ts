const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Milliseconds of a duration such as `500ms`, `60s`, `5m`, `12h` or `400d`. Throws an Error that says what is accepted. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,16})(ms|s|m|h|d)$/.exec(text)
  const milliseconds = match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN
  if (!Number.isSafeInteger(milliseconds)) {
    throw new Error('must be a whole number and a unit (ms, s, m, h or d), such as "60s", "5m" or "400d"')
  }
  return milliseconds
}

/** The shortest text that `parseDuration` turns back into `milliseconds` (a whole number, not negative). */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s'
  const [unit, size] = Object.entries(UNITS).find(([, unitSize]) => milliseconds % unitSize === 0) ?? [
    'ms',
    1,
  ]
  return `${milliseconds / size}${unit}`
}
