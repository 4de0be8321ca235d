import type { TLocalizedValidationError } from 'typebox/error'
import { describeFlaw, type Flaw } from './problems.ts'

/** An answer names so many places; a sender that has more wrong has another problem. */
const MAX_ERRORS = 10

/**
 * The errors of a schema check as places and sentences: one entry a place, every missing member at its own path, and
 * none for a place above another that is named already (every nullable object around a wrong member fails too).
 */
export function describeSchemaErrors(errors: readonly TLocalizedValidationError[]): Flaw[] {
  const places = new Map<string, Set<string>>()
  for (const error of errors) {
    for (const { path, message } of describe(error)) {
      places.set(path, (places.get(path) ?? new Set()).add(message))
    }
  }
  const paths = [...places.keys()]
  return [...places]
    .filter(([path]) => !paths.some((other) => other.startsWith(`${path}/`)))
    .slice(0, MAX_ERRORS)
    .map(([path, messages]) => ({ path, message: joinAlternatives([...messages]) }))
}

function describe(error: TLocalizedValidationError): Flaw[] {
  const path = error.instancePath
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        path: `${path}/${name}`,
        message: 'is missing',
      }))
    case 'const':
      return [{ path, message: `must be ${JSON.stringify(error.params.allowedValue)}` }]
    case 'enum':
      return [{ path, message: `must be one of ${error.params.allowedValues.join(', ')}` }]
    case 'anyOf':
      // Its alternatives have said what each of them wants.
      return []
    default:
      return [{ path, message: error.message }]
  }
}

/** "must be string" and "must be null" make "must be string or be null". */
function joinAlternatives(messages: string[]): string {
  return messages
    .map((message, index) => (index === 0 ? message : message.replace(/^must /, '')))
    .join(' or ')
}

/** The first error as a sentence, and how many others there are. */
export function summarizeErrors(errors: readonly Flaw[]): string {
  const [first, ...others] = errors
  if (first === undefined) return 'the document does not have the form it must have'
  const sentence = describeFlaw(first)
  return others.length === 0 ? sentence : `${sentence} (and ${others.length} more)`
}
