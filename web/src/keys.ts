/** The names of a table, which TypeScript takes for any strings. */
export function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): Key[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table written out has no names but its own
  return Object.keys(table) as Key[]
}

export function isKeyOf<Key extends string>(
  table: Readonly<Record<Key, unknown>>,
  name: unknown,
): name is Key {
  return typeof name === 'string' && Object.hasOwn(table, name)
}

/** What of an unknown value can be looked into. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
