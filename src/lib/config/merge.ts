import { parseJson } from './kinds.ts'
import { messageOf, type ConfigProblem } from './problems.ts'
import { ENVIRONMENT_PREFIX, SECTIONS, sectionNamed, TABLES, tableNamed, variableName } from './schema.ts'
import type { ConfigFile, Environment, Source } from './sources.ts'
import { unknownKey, unknownSection, unknownVariable } from './unknown-key.ts'

export interface Given {
  raw: unknown
  source: Source
}

/** What was given, by section and key, the environment over the file. Nothing in it is checked but the names. */
export interface GivenConfig {
  sections: Map<string, Map<string, Given>>
  tables: Map<string, { rows: Map<string, Given>[]; source: Source }>
}

interface Collector {
  given: GivenConfig
  problems: ConfigProblem[]
}

export function mergeSources(
  file: ConfigFile | null,
  env: Environment,
  cwd: string,
  problems: ConfigProblem[],
): GivenConfig {
  const given: GivenConfig = { sections: new Map(), tables: new Map() }
  if (file !== null) addFile({ given, problems }, file)
  addEnvironment({ given, problems }, env, cwd)
  return given
}

function addFile(collector: Collector, { source, content }: ConfigFile): void {
  for (const [name, value] of Object.entries(content)) {
    const report = (message: string): void => {
      collector.problems.push({ source: source.name, path: quoteKey(name), message })
    }
    if (sectionNamed(name) !== undefined) {
      if (isTable(value)) addSection(collector, name, value, source)
      else report(`must be a table, [${name}]`)
    } else if (tableNamed(name) !== undefined) {
      if (Array.isArray(value)) addTables(collector, name, value, source)
      else report(`must be an array of tables, [[${name}]]`)
    } else {
      report(unknownSection(name))
    }
  }
}

function addSection({ given, problems }: Collector, name: string, table: Table, source: Source): void {
  given.sections.set(
    name,
    knownKeys(table, { name, path: name, keys: sectionNamed(name)?.keys ?? {}, source, problems }),
  )
}

function addTables(
  { given, problems }: Collector,
  name: string,
  list: readonly unknown[],
  source: Source,
): void {
  const keys = tableNamed(name)?.keys ?? {}
  const rows = list.map((each, index) => {
    const path = `${name}[${index}]`
    if (isTable(each)) return knownKeys(each, { name, path, keys, source, problems })
    problems.push({ source: source.name, path, message: 'must be a table' })
    return new Map<string, Given>()
  })
  given.tables.set(name, { rows, source })
}

interface Place {
  name: string
  path: string
  keys: Readonly<Record<string, unknown>>
  source: Source
  problems: ConfigProblem[]
}

function knownKeys(table: Table, { name, path, keys, source, problems }: Place): Map<string, Given> {
  const known = new Map<string, Given>()
  for (const [key, raw] of Object.entries(table)) {
    if (Object.hasOwn(keys, key)) known.set(key, { raw, source })
    else
      problems.push({
        source: source.name,
        path: `${path}.${quoteKey(key)}`,
        message: unknownKey(name, key, Object.keys(keys)),
      })
  }
  return known
}

function addEnvironment(collector: Collector, env: Environment, cwd: string): void {
  const variables = new Map(
    Object.entries(env).filter(([name, value]) => name.startsWith(ENVIRONMENT_PREFIX) && value !== undefined),
  )
  /** The text of a variable, once; what is left at the end is unknown. */
  const take = (name: string, path: string, use: (text: string, source: Source) => void): void => {
    const text = variables.get(name)
    if (text === undefined || !variables.delete(name)) return
    try {
      use(text, { name, directory: cwd })
    } catch (error) {
      collector.problems.push({ source: name, path, message: messageOf(error) })
    }
  }
  for (const [section, { keys }] of Object.entries(SECTIONS)) {
    for (const [key, { kind }] of Object.entries(keys)) {
      take(variableName(section, key), `${section}.${key}`, (text, source) => {
        const values = collector.given.sections.get(section) ?? new Map<string, Given>()
        collector.given.sections.set(section, values.set(key, { raw: kind.fromText(text), source }))
      })
    }
  }
  for (const table of Object.keys(TABLES)) {
    take(variableName(table), table, (text, source) => {
      const rows = parseJson(text)
      if (!Array.isArray(rows)) throw new Error('must be a JSON array of objects')
      addTables(collector, table, rows, source)
    })
  }
  for (const name of variables.keys()) {
    collector.problems.push({ source: name, path: '', message: unknownVariable(name) })
  }
}

/** As TOML would write it: bare where it can be. */
function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)
}

type Table = Readonly<Record<string, unknown>>

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
