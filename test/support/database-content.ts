import { type Kysely, sql } from 'kysely'
import type { DB } from '../../src/store/schema.generated.ts'

/** Told apart from what a request stores: the last use of an API token is written when it is used. */
const LEFT_OUT = new Set(['api_tokens'])

/**
 * A digest of each table's rows, or of those for which the SQL condition `of(table)` holds: equal before and after means
 * that nothing was stored.
 */
export async function databaseContent(
  db: Kysely<DB>,
  of: (table: string) => string = () => 'true',
): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    order by relname`.execute(db)
  const content: Record<string, string> = {}
  for (const { name } of tables.filter((table) => !LEFT_OUT.has(table.name))) {
    const { rows } = await sql<{ digest: string }>`
      select count(*) || ' rows ' || coalesce(md5(string_agg(t::text, E'\\n' order by t::text)), '') as digest
      from ${sql.table(name)} t where ${sql.raw(of(name))}`.execute(db)
    content[name] = rows[0]?.digest ?? ''
  }
  return content
}
