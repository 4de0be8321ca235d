/** Characters: what the report's schema allows a text fact. */
export const MAX_TEXT_LENGTH = 1024

/** Firmware pads with spaces and NULs, and some of it puts control characters in: the report has none (protocol.md). */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim()
}
