import { checkReadable, isOpenToAll, readSecretFile } from './secret-files.ts'
import { messageOf, type ConfigProblem } from './problems.ts'
import { type DefaultContext, type Key, type Keys, type Reader } from './key.ts'
import type { Given } from './merge.ts'

/** A section or one row of an array of tables, checked: values by key, and where each was given. */
export interface Checked {
  path: string
  /** Of the keys that have a value; the rest have problems. */
  values: Record<string, unknown>
  given: ReadonlyMap<string, Given>
}

export interface Checker {
  context: DefaultContext
  problems: ConfigProblem[]
  /** Files with secrets in them that every user of the machine can read. */
  openSecrets: Set<string>
}

export interface Place {
  path: string
  /** What is at fault when something is missing. */
  source: string
  given: ReadonlyMap<string, Given>
}

/** The value of every key: as given, or its default. Each value that is missing or wrong becomes a problem. */
export function checkKeys(
  { context, problems }: Checker,
  keys: Keys,
  { path, source, given }: Place,
): Checked {
  const values: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(keys)) {
    const value = given.get(name)
    const report = (message: string): void => {
      problems.push({ source: value?.source.name ?? source, path: `${path}.${name}`, message })
    }
    if (value === undefined && key.presence === 'required') {
      report('is missing')
      continue
    }
    try {
      const raw = value === undefined ? key.defaultValue(context) : value.raw
      values[name] = key.kind.parse(raw, value?.source.directory ?? '/')
    } catch (error) {
      report(messageOf(error))
    }
  }
  return { path, values, given }
}

/** Adds the contents of the files that one of `readers` needs, as members of `checked.values`; null for the others. */
export function addFileContents(
  { problems, openSecrets }: Checker,
  checked: Checked,
  keys: Keys,
  readers: ReadonlySet<Reader>,
): void {
  const { values, given, path } = checked
  for (const [name, key] of Object.entries(keys)) {
    if (key.file === undefined) continue
    const needed = key.file.readers.some((reader) => readers.has(reader))
    try {
      const content = needed ? readFiles(key, values[name]) : emptyContent(values[name])
      if (needed && key.secret)
        for (const file of [values[name]].flat())
          if (typeof file === 'string' && isOpenToAll(file)) openSecrets.add(file)
      if (key.file.member !== null) values[key.file.member] ??= content
    } catch (error) {
      problems.push({
        source: given.get(name)?.source.name ?? '',
        path: `${path}.${name}`,
        message: messageOf(error),
      })
    }
  }
}

function readFiles(key: Key<unknown>, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => readFiles(key, each))
  if (typeof value !== 'string') return null
  if (key.file?.member !== null) return readSecretFile(value)
  checkReadable(value)
  return null
}

const emptyContent = (value: unknown): unknown => (Array.isArray(value) ? [] : null)
