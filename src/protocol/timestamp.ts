/** RFC 3339 with up to nanoseconds. The pattern alone lets 31 February through; `parseTimestamp` does not. */
export const TIMESTAMP_PATTERN =
  '^(\\d{4})-(\\d{2})-(\\d{2})T(\\d{2}):(\\d{2}):(\\d{2})(\\.\\d{1,9})?(?:Z|([+-])(\\d{2}):(\\d{2}))$'

const timestamp = new RegExp(TIMESTAMP_PATTERN)

/** PostgreSQL takes no larger offset; those in use end at 14:00. */
const MAX_OFFSET_HOURS = 15

/**
 * Milliseconds since the epoch of an RFC 3339 timestamp, cut off below the millisecond; null when the text is none, or
 * names a day or time that does not exist, a leap second, or an instant outside of the years 1 to 9999: what PostgreSQL
 * and Date both can hold.
 */
export function parseTimestamp(text: string): number | null {
  const match = timestamp.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match.slice(7)
  const offsetHour = Number(offsetHours)
  const offsetMinute = Number(offsetMinutes)
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > MAX_OFFSET_HOURS || offsetMinute > 59)
    return null
  const midnight = utcMidnight(year, month, day)
  if (midnight === null) return null
  const offset = (offsetHour * 60 + offsetMinute) * (sign === '-' ? -1 : 1)
  const milliseconds = Number(fraction.slice(1, 4).padEnd(3, '0'))
  const instant = midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds
  const instantYear = new Date(instant).getUTCFullYear()
  return instantYear >= 1 && instantYear <= 9999 ? instant : null
}

/** Date rolls over what does not exist (31 February is 3 March), which shows in the month. */
function utcMidnight(year: number, month: number, day: number): number | null {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 ? date.getTime() : null
}
