/** When something is done: each hour at a minute, or each day at an hour and a minute, in UTC. */
export interface Schedule {
  minute: number
  hour?: number
}

/** The schedule as cron has it. */
export function cronOf({ minute, hour }: Schedule): string {
  return `${minute} ${hour ?? '*'} * * *`
}

/** The first time after `now` (milliseconds since the epoch) that the schedule names. */
export function nextTime({ minute, hour }: Schedule, now: number): Date {
  const next = new Date(now)
  next.setUTCMinutes(minute, 0, 0)
  if (hour !== undefined) next.setUTCHours(hour)
  const step = (hour === undefined ? 1 : 24) * 3_600_000
  return next.getTime() > now ? next : new Date(next.getTime() + step)
}
