/** `value` as a JSON object; throws when it is another kind of value. */
export function readObject(value: unknown): Record<string, unknown> {
  if (isObject(value)) return value
  throw new Error('not a JSON object')
}

/** The JSON object that the bytes are, or null. */
export function parseObject(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
