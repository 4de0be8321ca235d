/**
 * Control characters of terminals (C0, DEL, C1), line separators, and those that change the direction or hide text:
 * a host name in a table must not move the cursor or look like another one.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** The text with every character that could act on a terminal written as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Indented JSON. The escapes are JSON's own, so that what is parsed is what was there. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(/[^\n]+/g, escapeControls)}\n`
}

export interface Column<Row> {
  header: string
  /** Null is shown as `-`. */
  value: (row: Row) => string | number | null
  /** Left if not given. */
  align?: 'left' | 'right'
}

/** Columns as wide as their widest cell, two spaces between them, headers in capitals. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ header }) => header.toUpperCase()),
    ...rows.map((row) => columns.map(({ value }) => escapeControls(String(value(row) ?? '-')))),
  ]
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => textWidth(cells[index] ?? ''))))
  const formatLine = (cells: readonly string[]): string =>
    cells.map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left')).join('  ')
  return lines.map((cells) => `${formatLine(cells).trimEnd()}\n`).join('')
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u

/** Columns of a terminal: what a reader takes for one character is one, of East Asian width two. */
function textWidth(text: string): number {
  return Array.from(graphemes.segment(text)).reduce(
    (sum, { segment }) => sum + (wide.test(segment) ? 2 : 1),
    0,
  )
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(width - textWidth(text))
  return align === 'left' ? text + space : space + text
}

export function printJson(value: unknown): void {
  process.stdout.write(formatJson(value))
}

/** One line; what could act on a terminal is escaped. */
export function print(line: string): void {
  process.stdout.write(`${escapeControls(line)}\n`)
}

/** A table, or `empty` where there is nothing to list. */
export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): void {
  process.stdout.write(rows.length === 0 ? `${empty}\n` : formatTable(columns, rows))
}
