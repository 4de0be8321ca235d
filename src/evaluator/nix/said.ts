import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Specialisation } from './types.ts'

/** What the expression EVALUATE says about a configuration. */
export type Said =
  | { word: 'start' | 'thrown'; index: number }
  | { word: 'toplevel'; index: number; paths: Paths | null }
  | { word: 'facts'; index: number; facts: Facts }

export interface Paths {
  drvPath: string
  outPath: string
}

export interface Facts {
  system: string | null
  nixosVersion: string | null
  kernelVersion: string | null
  stateVersion: string | null
  embedsRevision: boolean
  specialisations: Specialisation[]
}

export const NO_FACTS: Facts = {
  system: null,
  nixosVersion: null,
  kernelVersion: null,
  stateVersion: null,
  embedsRevision: false,
  specialisations: [],
}

/** https://nix.dev/manual/nix/latest/protocols/store-path: the digest's alphabet, and 1 to 211 characters of name. */
const STORE_PATH = '^/nix/store/[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+._?=-]{1,211}$'
const DERIVATION = /\.drv$/

/** Of some words, for a terminal too. */
const text = Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$' })
const nullableText = Type.Union([text, Type.Null()])
const storePath = Type.String({ pattern: STORE_PATH })

const paths = Compile(Type.Object({ drv: storePath, out: storePath }))
const facts = Compile(
  Type.Object({
    system: nullableText,
    nixosVersion: nullableText,
    kernelVersion: nullableText,
    stateVersion: nullableText,
    embedsRevision: Type.Boolean(),
    specialisations: Type.Array(Type.Object({ name: text, out: Type.Union([storePath, Type.Null()]) })),
  }),
)

/** A reader of the lines of Nix's standard error that the expression with this nonce has written; null for others. */
export function createSaidReader(nonce: string): (line: string) => Said | null {
  const form = new RegExp(`^trace: ${nonce} (start|thrown|toplevel|facts) (\\d+)(?: (.*))?$`, 's')
  return (line) => {
    const [, word, digits, json = 'null'] = form.exec(line) ?? []
    const index = Number(digits)
    if (word === 'start' || word === 'thrown') return { word, index }
    if (word === 'toplevel') return { word, index, paths: readPaths(parse(json)) }
    return word === 'facts' ? { word, index, facts: readFacts(parse(json)) } : null
  }
}

function readPaths(value: unknown): Paths | null {
  return paths.Check(value) && DERIVATION.test(value.drv) && !DERIVATION.test(value.out)
    ? { drvPath: value.drv, outPath: value.out }
    : null
}

/** Facts of other types than NixOS gives them are as good as none. */
function readFacts(value: unknown): Facts {
  if (!facts.Check(value)) return NO_FACTS
  const specialisations = value.specialisations.flatMap(({ name, out }) =>
    out === null ? [] : [{ name, outPath: out }],
  )
  return { ...value, specialisations }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Cut because it is too long.
    return null
  }
}
