import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { standingRank } from './drift-columns.ts'

/**
 * `drift`: the worst standing first, of one standing the oldest first; `since`: what stands so the longest first;
 * `last_contact`: the longest silent first, those never heard of before all.
 */
export const SYSTEM_SORTS = ['hostname', 'drift', 'since', 'last_contact'] as const
export type SystemSort = (typeof SYSTEM_SORTS)[number]

/** Where the last row of a page stood: what it was sorted by, and what tells equal ones apart. */
export type SystemCursor = readonly [key: string, tie: string]

interface Sort {
  key: RawBuilder<string>
  tie: RawBuilder<string>
  order: RawBuilder<unknown>
  isAfter: (cursor: SystemCursor) => RawBuilder<SqlBool>
}

/** Microseconds since the epoch: what PostgreSQL compares, a Date has only milliseconds. */
const micros = (time: RawBuilder<unknown>) => sql`(extract(epoch from ${time}) * 1000000)::bigint`
const timeOf = (text: string) => sql`(timestamptz 'epoch' + ${text}::bigint * interval '1 microsecond')`
const id = sql<string>`systems.id::text`
const silence = sql`coalesce(${micros(sql`contacts.last_contact`)}, 0)`

const SORTS: Record<SystemSort, Sort> = {
  hostname: {
    key: sql`systems.hostname`,
    tie: sql`''`,
    order: sql`lower(systems.hostname)`,
    isAfter: ([hostname]) => sql`lower(systems.hostname) > lower(${hostname})`,
  },
  drift: {
    key: sql`${standingRank} || ':' || ${micros(sql`d.standing_since`)}`,
    tie: id,
    order: sql`${standingRank}, d.standing_since, d.system_id`,
    isAfter: ([key, tie]) => {
      const [rank = '', since = ''] = key.split(':')
      return sql`(${standingRank}, d.standing_since, d.system_id) > (${rank}::integer, ${timeOf(since)}, ${tie}::bigint)`
    },
  },
  since: {
    key: sql`${micros(sql`d.standing_since`)}::text`,
    tie: id,
    order: sql`d.standing_since, d.system_id`,
    isAfter: ([since, tie]) => sql`(d.standing_since, d.system_id) > (${timeOf(since)}, ${tie}::bigint)`,
  },
  last_contact: {
    key: sql`${silence}::text`,
    tie: id,
    order: sql`${silence}, systems.id`,
    isAfter: ([last, tie]) => sql`(${silence}, systems.id) > (${last}::bigint, ${tie}::bigint)`,
  },
}

/** How a page of this order is read. */
export function sortOf(sort: SystemSort): Sort {
  return SORTS[sort]
}

const FORMS: Record<Exclude<SystemSort, 'hostname'>, RegExp> = {
  drift: /^(\d{1,2}:-?\d{1,16})\.(\d{1,15})$/,
  since: /^(-?\d{1,16})\.(\d{1,15})$/,
  last_contact: /^(-?\d{1,16})\.(\d{1,15})$/,
}

/** A cursor as text. */
export function formatCursor(sort: SystemSort, [key, tie]: SystemCursor): string {
  return sort === 'hostname' ? key : `${key}.${tie}`
}

/** The cursor of a text that `formatCursor` made for the same order, or null. */
export function parseCursor(sort: SystemSort, text: string): SystemCursor | null {
  if (sort === 'hostname') return [text, '']
  const [, key, tie] = FORMS[sort].exec(text) ?? []
  return key === undefined || tie === undefined ? null : [key, tie]
}
