import type { Checked } from './check.ts'
import type { Inspection } from './inspect.ts'
import type { Keys } from './key.ts'
import { SECTIONS, TABLES } from './schema.ts'

/** One key of the effective configuration; secrets are masked. */
export interface EffectiveKey {
  name: string
  /** As the file would give it, null where it is not set. */
  value: unknown
  /** The file or environment variable, null for a default. */
  source: string | null
}

export interface EffectiveTable {
  /** `[server]` or `[[systems]]`. */
  heading: string
  name: string
  keys: EffectiveKey[]
}

/** Every section and every row of the arrays of tables, in the order of the schema. */
export function effectiveTables({ sections, tables }: Inspection): EffectiveTable[] {
  return [
    ...Object.entries(SECTIONS).map(([name, { keys }]) => {
      return { heading: `[${name}]`, name, keys: effectiveKeys(keys, sections.get(name)) }
    }),
    ...Object.entries(TABLES).flatMap(([name, { keys }]) =>
      (tables.get(name) ?? []).map((row) => ({
        heading: `[[${name}]]`,
        name,
        keys: effectiveKeys(keys, row),
      })),
    ),
  ]
}

function effectiveKeys(keys: Keys, checked: Checked | undefined): EffectiveKey[] {
  return Object.entries(keys).map(([name, key]) => {
    const given = checked?.given.get(name)
    const value = checked?.values[name]
    // `password` holds what was in its file, too; that was not given here.
    const isContent = given === undefined && key.secret && key.presence === 'optional'
    return {
      name,
      value: isContent || value === null ? null : key.kind.format(value),
      source: given?.source.name ?? null,
    }
  })
}

/**
 * The effective configuration as a file: defaults as comments, and where it is not the file, the variable a value
 * came from.
 */
export function formatEffective(inspection: Inspection): string {
  const head = inspection.file === null ? '# No configuration file\n' : `# ${inspection.file}\n`
  const parts = effectiveTables(inspection).map(({ heading, keys }) => {
    const lines = keys.map(({ name, value, source }) => {
      const assignment = `${name} = ${JSON.stringify(value ?? '')}`
      if (source === null) return `# ${assignment}`
      return source === inspection.file ? assignment : `${assignment}  # ${source}`
    })
    return `\n${heading}\n${lines.join('\n')}\n`
  })
  return head + parts.join('')
}
