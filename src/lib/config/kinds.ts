import { formatDuration, parseDuration } from '../duration.ts'
import { formatSize, parseSize } from '../size.ts'

/** How values of one type are written, read and checked. */
export interface Kind<T> {
  /** For the documentation. */
  type: string
  /** The value as the file would give it, from the text of an environment variable. */
  fromText(text: string): unknown
  /** The value of what the file gives; `directory` is what relative paths start from. Throws an Error: "must be …". */
  parse(raw: unknown, directory: string): T
  /** The value as the file would give it. */
  format(value: T): unknown
}

const SHOWN_LENGTH = 80

/** An Error that quotes what was given. For values that cannot be secret. */
export function mismatch(expected: string, raw: unknown): Error {
  return new Error(`must be ${expected}, not ${show(raw)}`)
}

function show(raw: unknown): string {
  if (raw instanceof Date) return 'a date'
  if (Array.isArray(raw)) return 'a list'
  if (typeof raw === 'object') return 'a table'
  const text = JSON.stringify(raw)
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
}

/** A kind whose values are texts that pass `check`, which throws or returns the text to keep. */
export function textKind(type: string, expected: string, check: (text: string) => string): Kind<string> {
  return {
    type,
    fromText: (text) => text,
    parse: (raw) => {
      if (typeof raw !== 'string') throw new Error(`must be ${expected}, written as text in quotes`)
      if (raw === '') throw new Error('must not be empty')
      return check(raw)
    },
    format: (value) => value,
  }
}

/** A kind of text whose form `pattern` says. `expected` describes it in the error. */
export function patternKind(type: string, expected: string, pattern: RegExp): Kind<string> {
  return textKind(type, expected, (text) => {
    if (!pattern.test(text)) throw mismatch(expected, text)
    return text
  })
}

// oxlint-disable-next-line no-control-regex -- control characters are what it keeps out
export const text = patternKind('text', 'text without control characters', /^[^\u0000-\u001f\u007f]{1,1024}$/)

export function integer(minimum: number, maximum: number): Kind<number> {
  const expected = `a whole number from ${minimum} to ${maximum}`
  return {
    type: expected,
    fromText: (given) => (/^-?\d{1,15}$/.test(given) ? Number(given) : given),
    parse: (raw) => {
      if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < minimum || raw > maximum) {
        throw mismatch(expected, raw)
      }
      return raw
    },
    format: (value) => value,
  }
}

export const boolean: Kind<boolean> = {
  type: 'true or false',
  fromText: (given) => (given === 'true' ? true : given === 'false' ? false : given),
  parse: (raw) => {
    if (typeof raw !== 'boolean') throw mismatch('true or false', raw)
    return raw
  },
  format: (value) => value,
}

export function choice<const T extends string>(values: readonly T[]): Kind<T> {
  const type = values.map((value) => `"${value}"`).join(', ')
  return {
    type: `one of ${type}`,
    fromText: (given) => given,
    parse: (raw) => {
      const value = values.find((candidate) => candidate === raw)
      if (value === undefined) throw mismatch(`one of ${type}`, raw)
      return value
    },
    format: (value) => value,
  }
}

/** Milliseconds. The bounds are durations too. */
export function duration(minimum: string, maximum: string): Kind<number> {
  return quantity(`a duration from ${minimum} to ${maximum}`, parseDuration, formatDuration, minimum, maximum)
}

/** Bytes. The bounds are sizes too. */
export function size(minimum: string, maximum: string): Kind<number> {
  return quantity(`a size from ${minimum} to ${maximum}`, parseSize, formatSize, minimum, maximum)
}

function quantity(
  type: string,
  parse: (given: string) => number,
  format: (value: number) => string,
  minimum: string,
  maximum: string,
): Kind<number> {
  const [lowest, highest] = [parse(minimum), parse(maximum)]
  return {
    type,
    fromText: (given) => given,
    parse: (raw) => {
      if (typeof raw !== 'string') throw mismatch(`${type}, such as "${minimum}"`, raw)
      let value: number
      try {
        value = parse(raw)
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : ''}, not ${show(raw)}`, { cause: error })
      }
      if (value < lowest || value > highest) throw mismatch(type, raw)
      return value
    },
    format,
  }
}

/** A list; in an environment variable a JSON array, or items between commas. */
export function list<T>(item: Kind<T>): Kind<T[]> {
  return {
    type: `list of: ${item.type}`,
    fromText: (given) => {
      if (given.trimStart().startsWith('[')) return parseJson(given)
      const items = given.split(',').map((each) => each.trim())
      return items.filter((each) => each !== '')
    },
    parse: (raw, directory) => {
      if (!Array.isArray(raw)) throw new Error('must be a list, such as ["a", "b"]')
      return raw.map((each: unknown, index) => {
        try {
          return item.parse(each, directory)
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error)
          throw new Error(`item ${index + 1} ${message}`, { cause: error })
        }
      })
    },
    format: (values) => values.map((value) => item.format(value)),
  }
}

/** JSON.parse quotes its input in its error; the input may hold a secret, so this one does not. */
export function parseJson(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch {
    throw new Error('is not valid JSON')
  }
}
