import { oidc } from './oidc.ts'
import { client, database, evaluator, liveness, retention, server } from './sections.ts'
import { flakes, systems } from './tables.ts'
import type { Keys, Values } from './key.ts'

/** The whole configuration: types, defaults, checks and documentation come from here. */
export const SECTIONS = { database, server, oidc, client, evaluator, liveness, retention } as const

/** Arrays of tables, `[[flakes]]`. */
export const TABLES = { flakes, systems } as const

export type SectionName = keyof typeof SECTIONS
export type TableName = keyof typeof TABLES

export type SectionValues<Name extends SectionName> = Values<(typeof SECTIONS)[Name]['keys']>
export type TableValues<Name extends TableName> = Values<(typeof TABLES)[Name]['keys']>

export interface Section {
  description: string
  keys: Keys
}

const sections: Readonly<Record<string, Section>> = SECTIONS
const tables: Readonly<Record<string, Section>> = TABLES

export const sectionNamed = (name: string): Section | undefined =>
  Object.hasOwn(sections, name) ? sections[name] : undefined

export const tableNamed = (name: string): Section | undefined =>
  Object.hasOwn(tables, name) ? tables[name] : undefined

export const ENVIRONMENT_PREFIX = 'CRYSTAL_FORGE__'

/** `CRYSTAL_FORGE__DATABASE__HOST`; without a key the variable of an array of tables. */
export function variableName(section: string, key?: string): string {
  return ENVIRONMENT_PREFIX + (key === undefined ? section : `${section}__${key}`).toUpperCase()
}
