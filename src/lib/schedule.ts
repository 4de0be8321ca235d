/** When something is done, in UTC: each hour at a minute, each day at a time, or every so many minutes, a part of an hour. */
export type Schedule = { minute: number; hour?: number } | { everyMinutes: number }

/** The schedule as cron has it. */
export function cronOf(schedule: Schedule): string {
  if ('everyMinutes' in schedule) return `*/${schedule.everyMinutes} * * * *`
  return `${schedule.minute} ${schedule.hour ?? '*'} * * *`
}

/** The first time after `now` (milliseconds since the epoch) that the schedule names. */
export function nextTime(schedule: Schedule, now: number): Date {
  if ('everyMinutes' in schedule) {
    const step = schedule.everyMinutes * 60_000
    return new Date((Math.floor(now / step) + 1) * step)
  }
  const { minute, hour } = schedule
  const next = new Date(now)
  next.setUTCMinutes(minute, 0, 0)
  if (hour !== undefined) next.setUTCHours(hour)
  const step = (hour === undefined ? 1 : 24) * 3_600_000
  return next.getTime() > now ? next : new Date(next.getTime() + step)
}
