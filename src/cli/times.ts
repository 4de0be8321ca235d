const UNITS: readonly { name: string; seconds: number }[] = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3600 },
  { name: 'min', seconds: 60 },
  { name: 's', seconds: 1 },
]

/** `12 s ago`, `3 min ago`, `in 2 d`: whole units, the largest that fits. Both in milliseconds since the epoch. */
export function formatRelative(time: number, now: number): string {
  const seconds = Math.trunc((now - time) / 1000)
  if (seconds === 0) return 'now'
  const text = formatSpan(Math.abs(seconds))
  return seconds > 0 ? `${text} ago` : `in ${text}`
}

/** `2026-11-23 12:00:00 UTC`: seconds are as fine as anybody compares by eye, and JSON has the rest. */
export function formatAbsolute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Both, of ISO 8601 text: `2026-11-23 12:00:00 UTC (3 min ago)`; null stays null. Text that is no time is shown as it is. */
export function formatTime(text: string | null, now: number): string | null {
  if (text === null) return null
  const time = Date.parse(text)
  return Number.isNaN(time) ? text : `${formatAbsolute(time)} (${formatRelative(time, now)})`
}

/** The relative form alone, for tables. */
export function formatAge(text: string | null, now: number): string | null {
  if (text === null) return null
  const time = Date.parse(text)
  return Number.isNaN(time) ? text : formatRelative(time, now)
}

/** Whole seconds in the largest unit that fits. */
export function formatSpan(seconds: number): string {
  const unit = UNITS.find((each) => seconds >= each.seconds) ?? { name: 's', seconds: 1 }
  return `${Math.floor(seconds / unit.seconds)} ${unit.name}`
}
