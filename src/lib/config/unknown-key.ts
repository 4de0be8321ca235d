import { nearest } from '../nearest.ts'
import { SECTIONS, TABLES, variableName } from './schema.ts'

const sectionNames = [...Object.keys(SECTIONS), ...Object.keys(TABLES)]
const sectionPaths = Object.entries(SECTIONS).flatMap(([section, { keys }]) =>
  Object.keys(keys).map((key) => `${section}.${key}`),
)

/** What to say about a key that [section] does not have. A key of that name elsewhere is nearer than a similar one here. */
export function unknownKey(section: string, key: string, known: readonly string[]): string {
  const elsewhere = sectionPaths.find((path) => path.endsWith(`.${key}`))
  return `unknown key; the nearest known key is "${elsewhere ?? `${section}.${nearest(key, known) ?? ''}`}"`
}

/** What to say about a name at the top of the file that is neither a section nor an array of tables. */
export function unknownSection(name: string): string {
  const key = sectionPaths.find((path) => path.endsWith(`.${name}`))
  return key === undefined
    ? `unknown section; the nearest known section is "${nearest(name, sectionNames) ?? ''}"`
    : `unknown section; the nearest known key is "${key}"`
}

const variableNames = [
  ...Object.entries(SECTIONS).flatMap(([section, { keys }]) =>
    Object.keys(keys).map((key) => variableName(section, key)),
  ),
  ...Object.keys(TABLES).map((table) => variableName(table)),
]

export function unknownVariable(name: string): string {
  const table = Object.keys(TABLES).find((each) => name.startsWith(`${variableName(each)}__`))
  return table === undefined
    ? `unknown variable; the nearest known one is ${nearest(name, variableNames) ?? ''}`
    : `unknown variable; [[${table}]] is given as a JSON array in ${variableName(table)}`
}
