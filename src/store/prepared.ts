import { sql } from 'kysely'
import type { ClientBase } from 'pg'

const MARK = '/* prepared */'

/**
 * Begins a statement that each connection parses and plans once: for a batch of the ingest path that costs as much as
 * dozens of its rows. The text may not vary, as every text stays on every connection that ran it, and
 * names its columns: a prepared `select *` fails once a migration has added one.
 */
export const prepared = sql.raw(MARK)

const names = new Map<string, string>()

/** Makes statements that begin with `prepared` prepared statements, which Kysely does not know of. */
export function prepareMarked(client: ClientBase): void {
  const query = client.query.bind(client)
  const value = (statement: unknown, ...rest: unknown[]): unknown => {
    const isMarked = typeof statement === 'string' && statement.startsWith(MARK)
    const first = isMarked ? { name: nameOf(statement), text: statement } : statement
    return Reflect.apply(query, undefined, [first, ...rest])
  }
  Object.defineProperty(client, 'query', { value })
}

function nameOf(text: string): string {
  const name = names.get(text) ?? `crystal_forge_${names.size}`
  names.set(text, name)
  return name
}
