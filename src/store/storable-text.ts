/** What others print or send may be anything, cut anywhere; PostgreSQL takes neither NUL nor half a character. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}')
}
