/** What of an error goes into the log. Other members are left out: they can hold request bodies or row values. */
export interface ErrorDescription {
  type: string
  message: string
  stack?: string
  cause?: ErrorDescription
  errors?: ErrorDescription[]
  [member: string]: unknown
}

const TELLING_MEMBERS = [
  'code',
  'syscall',
  'path',
  'address',
  'port',
  'signal',
  'table',
  'constraint',
  'routine',
]

/** The error with its whole chain of causes, each once, also when the chain is a circle. */
export function describeError(error: unknown): ErrorDescription {
  return describe(error, new Set())
}

function describe(error: unknown, seen: Set<unknown>): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: messageOf(error) }
  if (seen.has(error)) return { type: error.name, message: '(already described above)' }
  seen.add(error)
  const description: ErrorDescription = { type: error.name, message: error.message }
  for (const member of TELLING_MEMBERS) {
    const value: unknown = Reflect.get(error, member)
    if (typeof value === 'string' || typeof value === 'number') description[member] = value
  }
  if (error.stack !== undefined) description.stack = error.stack
  if (error.cause !== undefined) description.cause = describe(error.cause, seen)
  if (error instanceof AggregateError) description.errors = error.errors.map((each) => describe(each, seen))
  return description
}

/**
 * The error for a person, in one sentence: its message, and after colons those of its causes. A message that the one
 * before already quotes is not repeated.
 */
export function explainError(error: unknown): string {
  const messages: string[] = []
  const seen = new Set<unknown>()
  for (let current = error; current !== undefined && !seen.has(current);) {
    seen.add(current)
    const message = messageOf(current)
    if (message !== '' && !messages.some((outer) => outer.includes(message))) messages.push(message)
    current = current instanceof Error ? current.cause : undefined
  }
  return messages.join(': ')
}

/**
 * An AggregateError of the system (a connection refused over IPv6 and IPv4) has no message of its own; what a library
 * throws can be a copy of an error's members (pg-boss).
 */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return hasMessage(error) ? error.message : String(error)
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  return error.message === '' ? error.name : error.message
}

function hasMessage(value: unknown): value is { message: string } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  )
}

/** The `code` of a system error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}
