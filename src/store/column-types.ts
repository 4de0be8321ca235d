import type { ColumnType } from 'kysely'
import { type CustomTypesConfig, types } from 'pg'

// Type oids of src/include/catalog/pg_type.dat.
const INT8 = 20
const INT8_ARRAY = 1016
const TEXT_ARRAY: number = 1009
const DATE = 1082
const DATE_ARRAY = 1182

/**
 * A json or jsonb column: read as what it holds, written as its text. `pg` would send an array as one of PostgreSQL's
 * and a text unquoted, so that a value has to go through JSON.stringify.
 */
export type JsonColumn = ColumnType<unknown, string, string>

/**
 * How columns become values: `bigint` a number, `date` the text `YYYY-MM-DD` (`pg` would make midnight of the local time
 * zone of it), everything else as `pg` does (timestamptz: Date, bytea: Buffer, jsonb: parsed, numeric: text).
 * The generated row types say the same. Throws a RangeError for a `bigint` that a number cannot hold.
 */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    const parser = format === 'binary' ? undefined : parsers.get(oid)
    return parser ?? types.getTypeParser(oid, format)
  },
}

const parseTextArray: (text: string) => (string | null)[] = types.getTypeParser(TEXT_ARRAY)

const parsers = new Map<number, (text: string) => unknown>([
  [INT8, parseInt8],
  [
    INT8_ARRAY,
    (text) => parseTextArray(text).map((element) => (element === null ? null : parseInt8(element))),
  ],
  [DATE, (text) => text],
  [DATE_ARRAY, parseTextArray],
])

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`the bigint ${text} does not fit into a number`)
  return value
}
