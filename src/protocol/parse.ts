import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { readJson } from './json.ts'
import { Enrollment, Heartbeat, StateReport } from './messages.ts'
import { Problem } from './problems.ts'
import { describeSchemaErrors, summarizeErrors } from './schema-errors.ts'

/** A body that passed: `document` is the parsed JSON exactly as received, `value` the same object with its type. */
export interface Parsed<T> {
  document: unknown
  value: T
}

// The library stops at 8, and every alternative of a nullable member counts as one.
Settings.Set({ maxErrors: 100 })

/**
 * A parser for bodies of one schema. Nothing is coerced, removed or filled in. The parser throws Problem `malformed` for
 * what is not JSON and `invalid`, with a list of paths, for what has not the form of the schema.
 */
export function createParser<T extends TSchema>(schema: T): (body: Uint8Array) => Parsed<Static<T>> {
  const validator = Compile(schema)
  return (body) => {
    const document = readJson(body)
    if (validator.Check(document)) return { document, value: document }
    const errors = describeSchemaErrors(validator.Errors(document))
    throw new Problem('invalid', summarizeErrors(errors), { members: { errors } })
  }
}

/** The body of `POST /agent/heartbeat`; errors as of `createParser`. */
export const parseHeartbeat = createParser(Heartbeat)

/** The body of `POST /agent/state`; errors as of `createParser`. */
export const parseStateReport = createParser(StateReport)

/** The body of `POST /agent/enroll`; errors as of `createParser`. */
export const parseEnrollment = createParser(Enrollment)
