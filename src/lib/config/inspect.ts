import { addFileContents, checkKeys, type Checked, type Checker, type Place } from './check.ts'
import type { Keys, Reader } from './key.ts'
import { mergeSources } from './merge.ts'
import { isOpenToAll } from './secret-files.ts'
import { ConfigError, type ConfigProblem } from './problems.ts'
import { checkRules, flakeUrlProblems } from './rules.ts'
import { SECTIONS, TABLES } from './schema.ts'
import { readConfigFile, SYSTEM_FILE, type Environment } from './sources.ts'

/**
 * Whose files are read: those of one process, those of the database alone (for commands that need nothing else), all,
 * or none (where they do not exist, as when a package is built).
 */
export type ConfigPart = 'server' | 'evaluator' | 'agent' | 'database' | 'all' | 'none'

export interface LoadOptions {
  env: Environment
  cwd: string
  part: ConfigPart
  /** Effective user id; this process's if not given. */
  uid?: number
  /** `/etc/crystal-forge/config.toml` if not given. */
  systemFile?: string
  /** Throws what is wrong with the address of a flake, beyond its form; `src/fleet` knows. */
  checkFlakeUrl?: (url: string) => unknown
}

/** Every key as it was given and checked, before it gets the shape of `Config`. */
export interface Inspection {
  file: string | null
  /** Files with secrets in them, of those that were read, that every user of the machine can read. */
  openSecrets: readonly string[]
  sections: ReadonlyMap<string, Checked>
  tables: ReadonlyMap<string, readonly Checked[]>
}

/** As `loadConfig`, for printing the effective configuration. Throws a ConfigError. */
export function inspectConfig({ env, cwd, part, uid, systemFile, checkFlakeUrl }: LoadOptions): Inspection {
  const problems: ConfigProblem[] = []
  const openSecrets = new Set<string>()
  const checker: Checker = { context: { env, uid: uid ?? process.geteuid?.() ?? -1 }, problems, openSecrets }
  const file = readConfigFile(env, cwd, systemFile ?? SYSTEM_FILE)
  const given = mergeSources(file, env, cwd, problems)

  const checked: { keys: Keys; result: Checked }[] = []
  const check = (keys: Keys, place: Place): Checked => {
    const result = checkKeys(checker, keys, place)
    checked.push({ keys, result })
    return result
  }
  const fileName = file?.source.name ?? ''
  const sections = new Map(
    Object.entries(SECTIONS).map(([path, { keys }]) => {
      return [path, check(keys, { path, source: fileName, given: given.sections.get(path) ?? new Map() })]
    }),
  )
  const tables = new Map(
    Object.entries(TABLES).map(([name, { keys }]) => {
      const { rows, source } = given.tables.get(name) ?? { rows: [], source: { name: '' } }
      const results = rows.map((row, index) =>
        check(keys, { path: `${name}[${index}]`, source: source.name, given: row }),
      )
      return [name, results]
    }),
  )
  for (const { values } of tables.get('systems') ?? []) values['configuration'] ??= values['hostname']
  problems.push(...checkRules({ sections, tables }), ...missingFor(part, sections, fileName))
  if (checkFlakeUrl !== undefined) problems.push(...flakeUrlProblems({ sections, tables }, checkFlakeUrl))

  const readers = readersOf(part, sections.get('server')?.values['evaluate'] === true)
  for (const { keys, result } of checked) addFileContents(checker, result, keys, readers)
  if (problems.length > 0) throw new ConfigError(problems)
  if (file !== null && holdsSecret(checked, file.source.name) && isOpenToAll(file.source.name))
    openSecrets.add(file.source.name)
  return { file: file?.source.name ?? null, openSecrets: [...openSecrets], sections, tables }
}

/** Whether a secret is in the file itself. */
function holdsSecret(checked: readonly { keys: Keys; result: Checked }[], file: string): boolean {
  return checked.some(({ keys, result }) =>
    Object.entries(keys).some(
      ([name, key]) => key.secret && key.file === undefined && result.given.get(name)?.source.name === file,
    ),
  )
}

function readersOf(part: ConfigPart, serverEvaluates: boolean): ReadonlySet<Reader> {
  const readers: Record<ConfigPart, Reader[]> = {
    server: serverEvaluates ? ['database', 'server', 'evaluator'] : ['database', 'server'],
    evaluator: ['database', 'evaluator'],
    agent: ['agent'],
    database: ['database'],
    all: ['database', 'server', 'evaluator', 'agent'],
    none: [],
  }
  return new Set(readers[part])
}

/** What is optional in the file, but not for the process that is about to start. */
function missingFor(
  part: ConfigPart,
  sections: ReadonlyMap<string, Checked>,
  source: string,
): ConfigProblem[] {
  const client = sections.get('client')
  const wantsClient =
    part === 'agent' || ((part === 'all' || part === 'none') && (client?.given.size ?? 0) > 0)
  if (wantsClient && client?.values['server_host'] === null && client.values['server_url'] === null) {
    return [{ source, path: 'client', message: 'needs server_url or server_host: where the server is' }]
  }
  if (part === 'evaluator' && sections.get('database')?.values['host'] === null) {
    const message =
      'is missing: an evaluator in a process of its own cannot use the embedded PostgreSQL of a server'
    return [{ source, path: 'database.host', message }]
  }
  return []
}
