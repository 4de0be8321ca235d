import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

type Cell = string | number | boolean | Date | null

/**
 * What a spreadsheet takes for a formula, and runs: OWASP's list and the full-width forms, also after blanks.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/

/** A line of RFC 4180. Text that a spreadsheet would run gets an apostrophe before it, which spreadsheets hide. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`
}

function formatCell(cell: Cell): string {
  if (cell === null) return ''
  if (cell instanceof Date) return cell.toISOString()
  if (typeof cell !== 'string') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

/** Answers with a file of all rows, a page at a time: each is read when the one before it has gone. */
export function sendCsv(
  reply: FastifyReply,
  file: { name: string; header: readonly string[]; pages: AsyncIterable<readonly (readonly Cell[])[]> },
): FastifyReply {
  const text = async function* () {
    yield csvLine(file.header)
    for await (const rows of file.pages) yield rows.map(csvLine).join('')
  }
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${file.name}"`)
    .send(Readable.from(text()))
}
