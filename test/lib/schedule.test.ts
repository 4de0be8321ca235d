import { expect, test } from 'vitest'
import { cronOf, nextTime } from '../../src/lib/schedule.ts'

test.each([
  [{ minute: 17 }, '2026-11-23T12:16:59.999Z', '2026-11-23T12:17:00.000Z'],
  [{ minute: 17 }, '2026-11-23T12:17:00.000Z', '2026-11-23T13:17:00.000Z'],
  [{ minute: 7 }, '2026-12-31T23:30:00.000Z', '2027-01-01T00:07:00.000Z'],
  [{ everyMinutes: 15 }, '2026-11-23T12:14:59.999Z', '2026-11-23T12:15:00.000Z'],
  [{ everyMinutes: 15 }, '2026-11-23T12:45:00.000Z', '2026-11-23T13:00:00.000Z'],
  [{ minute: 41, hour: 3 }, '2026-11-23T03:40:00.000Z', '2026-11-23T03:41:00.000Z'],
  [{ minute: 41, hour: 3 }, '2026-11-23T12:00:00.000Z', '2026-11-24T03:41:00.000Z'],
])('after %o at %s comes %s', (schedule, now, next) => {
  expect(nextTime(schedule, Date.parse(now)).toISOString()).toBe(next)
})

test('cron has the hour, any, or a part of one', () => {
  expect(cronOf({ everyMinutes: 15 })).toBe('*/15 * * * *')
  expect(cronOf({ minute: 17 })).toBe('17 * * * *')
  expect(cronOf({ minute: 41, hour: 3 })).toBe('41 3 * * *')
})
