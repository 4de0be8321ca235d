import { escapeControls } from './output.ts'

/** A label and what stands behind it; of several texts each on a line of its own. Null: not known. */
export type Entry = readonly [label: string, value: string | number | null | readonly string[]]

/** A title in capitals and below it, indented, labels in one column and values in the next. */
export function formatSection(title: string, entries: readonly Entry[]): string {
  return `${title.toUpperCase()}\n${formatEntries(entries, '  ')}`
}

/** The lines of a section, each after `indent`. */
export function formatEntries(entries: readonly Entry[], indent: string): string {
  const width = Math.max(0, ...entries.map(([label]) => label.length))
  return entries
    .flatMap(([label, value]) =>
      linesOf(value).map(
        (line, index) => `${indent}${(index === 0 ? label : '').padEnd(width)}  ${escapeControls(line)}\n`,
      ),
    )
    .join('')
}

function linesOf(value: Entry[1]): readonly string[] {
  if (value === null) return ['unknown']
  if (typeof value === 'object') return value.length === 0 ? ['none'] : value
  return [String(value)]
}
