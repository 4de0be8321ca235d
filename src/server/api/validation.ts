import type { FastifyInstance } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import { Value } from 'typebox/value'
import { HOSTNAME_PATTERN } from '../../protocol/hostname.ts'
import { readJson } from '../../protocol/json.ts'
import { Problem } from '../../protocol/problems.ts'
import { describeSchemaErrors, summarizeErrors } from '../../protocol/schema-errors.ts'
import { STORE_PATH_PATTERN } from '../../protocol/store-path.ts'

/**
 * Makes the routes of `app` read bodies as I-JSON and check what they are sent with their own schemas. Fastify's way
 * drops members it does not know: a misspelt `needs_approval` would make a token that needs none.
 */
export function installValidation(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => (body.length === 0 ? undefined : readJson(body)),
  )
  app.setValidatorCompiler<TSchema>(({ schema, httpPart = '' }) => createCheck(schema, httpPart))
}

/** A path and a query are text: numbers in them are converted, and what PostgreSQL cannot store has not been refused yet. */
function createCheck(schema: TSchema, part: string) {
  const validator = Compile(schema)
  return (given: unknown): { value: unknown } | { error: Problem } => {
    const isText = part === 'params' || part === 'querystring'
    const filled: unknown = Value.Default(schema, given)
    const value: unknown = isText ? numbersOf(schema, filled) : (filled ?? null)
    const errors = validator.Check(value) ? [] : describeSchemaErrors(validator.Errors(value).map(reword))
    if (isText && errors.length === 0) errors.push(...unstorable(value))
    if (errors.length === 0) return { value }
    const places = errors.map(({ path, message }) => ({ path: `/${part}${path}`, message }))
    return { error: new Problem('invalid', summarizeErrors(places), { members: { errors: places } }) }
  }
}

/** The integers of a path or query as numbers. The library's own conversion makes 1 of `1.5`. */
function numbersOf(schema: TSchema, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !Type.IsObject(schema)) return given
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => {
      const property = schema.properties[name]
      const isNumber = property !== undefined && Type.IsInteger(property) && /^-?\d{1,16}$/.test(String(text))
      return [name, isNumber ? Number(text) : text]
    }),
  )
}

function unstorable(value: unknown): { path: string; message: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value)
    .filter(([, text]) => typeof text === 'string' && text.includes('\0'))
    .map(([name]) => ({ path: `/${name}`, message: 'holds U+0000, which is not accepted' }))
}

const FORMS: Record<string, string> = {
  [HOSTNAME_PATTERN]: 'must be a host name: labels of letters, digits, - and _, joined by dots',
  [STORE_PATH_PATTERN]: 'must be a store path: /nix/store/<32 characters>-<name>, with nothing below it',
}

/** What the library says in the words of JSON Schema, in those of the person who sent it. */
function reword(error: TLocalizedValidationError): TLocalizedValidationError {
  if (error.keyword === 'boolean') return { ...error, message: 'is not known here' }
  const form = error.keyword === 'pattern' ? FORMS[String(error.params.pattern)] : undefined
  return form === undefined ? error : { ...error, message: form }
}
