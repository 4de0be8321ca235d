import { Type } from 'typebox'
import { invalidAt } from '../../protocol/problems.ts'
import { parseTimestamp, TIMESTAMP_PATTERN } from '../../protocol/timestamp.ts'

/** A time in a query. */
export const MomentText = (description: string) =>
  Type.Optional(Type.String({ pattern: TIMESTAMP_PATTERN, maxLength: 40, description }))

/** The time of a query's parameter. Throws Problem invalid, with its place: the pattern lets days through that do not exist. */
export function readMoment(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const time = parseTimestamp(text)
  if (time !== null) return new Date(time)
  throw invalidAt(`/querystring/${name}`, 'must be a time such as 2026-11-28T12:00:00Z')
}
