import { Type } from 'typebox'
import { PROBLEM_MEDIA_TYPE } from '../../protocol/problems.ts'

// JSON Schema 2020-12, as OpenAPI 3.1 has it: `type` may be a list.
export const orNull = <Value>(schema: { type: string; [keyword: string]: unknown }) =>
  Type.Unsafe<Value | null>({ ...schema, type: [schema.type, 'null'] })

/** One of these words. */
export const oneOf = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>({ type: 'string', enum: [...names] })

export const oneOfOrNull = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name | null>({ type: ['string', 'null'], enum: [...names, null] })

export const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })
export const TimeOrNull = orNull<Date>({ type: 'string', format: 'date-time' })
export const TextOrNull = orNull<string>({ type: 'string' })
export const IntegerOrNull = orNull<number>({ type: 'integer' })
export const NumberOrNull = orNull<number>({ type: 'number' })
export const BooleanOrNull = orNull<boolean>({ type: 'boolean' })

/** Of a row, in a path or a query. */
export const idOf = (description: string) =>
  Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description })

/** A JSON value as a report carried it. */
export const AnyJson = Type.Unsafe<unknown>({})

export const DEFAULT_PAGE_SIZE = 100
export const PageSize = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: DEFAULT_PAGE_SIZE }))

/** One row more than asked for is read: it says whether there is a next page, and is cut off. */
export function cutPage<Row, Cursor>(rows: Row[], limit: number, cursorOf: (row: Row) => Cursor) {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { page, next: rows.length > limit && last !== undefined ? cursorOf(last) : null }
}

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    last_sequence: Type.Optional(Type.Integer()),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem', description: 'RFC 9457; docs/errors.md lists the types' },
)

/** The responses every route may give beside its own. */
export const problemResponses = {
  '4xx': {
    description: 'A problem of the request',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: Type.Ref('Problem#') } },
  },
  '5xx': {
    description: 'A problem of the server',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: Type.Ref('Problem#') } },
  },
}
