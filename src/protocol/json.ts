import { type Flaw, invalidAt, Problem } from './problems.ts'

/** Levels of objects and arrays. A state report has 5. */
export const MAX_DEPTH = 32

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a body as I-JSON (RFC 7493), the JSON that RFC 8785 can digest and PostgreSQL can store. Throws Problem
 * `malformed` when it is not UTF-8 or not JSON; `invalid` when a text holds U+0000 or a lone surrogate, a number is too
 * large for a double, objects and arrays are nested deeper than `MAX_DEPTH`, or an object has two members of one name
 * (JSON.parse would keep the last, another reader of the evidence perhaps the first).
 */
export function readJson(body: Uint8Array): unknown {
  const text = decode(body)
  const document = parse(text)
  const flaw = findFlaw(text, document)
  if (flaw !== null) throw invalidAt(flaw.path, flaw.message)
  return document
}

function decode(body: Uint8Array): string {
  try {
    return decoder.decode(body)
  } catch (cause) {
    throw new Problem('malformed', 'the body is not UTF-8', { cause })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Problem('malformed', 'the body is not JSON', { cause })
  }
}

/** The first thing in `document`, parsed from the JSON `text`, that is not I-JSON or too deep; null when it is fine. */
export function findFlaw(text: string, document: unknown): Flaw | null {
  const seen = { members: 0 }
  const flaw = inspect(document, 1, seen)
  if (flaw !== null) return flaw
  if (seen.members === countMembers(text)) return null
  return { path: '', message: 'has an object with two members of the same name' }
}

/** Looks at everything in `value`, and adds the members of its objects to `seen`. */
function inspect(value: unknown, depth: number, seen: { members: number }): Flaw | null {
  if (typeof value === 'string') return inspectText(value)
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : { path: '', message: 'is a number too large for a double' }
  }
  if (typeof value !== 'object' || value === null) return null
  if (depth > MAX_DEPTH) return { path: '', message: `is nested deeper than ${MAX_DEPTH} levels` }
  return Array.isArray(value) ? inspectItems(value, depth, seen) : inspectMembers(value, depth, seen)
}

function inspectItems(items: readonly unknown[], depth: number, seen: { members: number }): Flaw | null {
  for (const [index, item] of items.entries()) {
    const flaw = inspect(item, depth + 1, seen)
    if (flaw !== null) return below(String(index), flaw)
  }
  return null
}

function inspectMembers(object: object, depth: number, seen: { members: number }): Flaw | null {
  for (const [name, member] of Object.entries(object)) {
    seen.members += 1
    const flaw = inspectText(name) ?? inspect(member, depth + 1, seen)
    if (flaw !== null) return below(name, flaw)
  }
  return null
}

function below(name: string, { path, message }: Flaw): Flaw {
  return { path: `/${escapePointer(name)}${path}`, message }
}

function inspectText(text: string): Flaw | null {
  if (text.includes('\0')) return { path: '', message: 'holds U+0000, which is not accepted' }
  if (!text.isWellFormed()) return { path: '', message: 'holds a lone surrogate, which is not Unicode text' }
  return null
}

/** A member name in a JSON Pointer, cut short; a flaw in the name itself must not go out with the answer. */
function escapePointer(name: string): string {
  return name
    .slice(0, 64)
    .toWellFormed()
    .replaceAll('\0', '\uFFFD')
    .replaceAll('~', '~0')
    .replaceAll('/', '~1')
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** How many members the objects of a JSON text have: in JSON, every colon outside of a string stands for one. */
function countMembers(text: string): number {
  let members = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) inString = !inString
    else if (code === BACKSLASH) index += 1
    else if (code === COLON && !inString) members += 1
  }
  return members
}
