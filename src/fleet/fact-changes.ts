/** One fact that differs: its place as a JSON pointer (RFC 6901), and what it was and is; null where it was not, or is not, there. */
export interface FactChange {
  path: string
  before: unknown
  after: unknown
}

/**
 * What differs between two JSON values, in the order of their members. Lists are compared by place; those of different
 * lengths, and those of texts and numbers, are one change: what was put in the middle would else change all after it.
 */
export function factChanges(before: unknown, after: unknown, path = ''): FactChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap((name) => factChanges(before[name], after[name], `${path}/${escape(name)}`))
  }
  if (isListOfObjects(before) && isListOfObjects(after) && before.length === after.length)
    return before.flatMap((each, index) => factChanges(each, after[index], `${path}/${index}`))
  const [was = null, is = null] = [before, after]
  return JSON.stringify(was) === JSON.stringify(is) ? [] : [{ path, before: was, after: is }]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfObjects(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every(isObject)
}

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
