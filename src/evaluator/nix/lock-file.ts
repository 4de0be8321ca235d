import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { NixError } from './nix-error.ts'

const Locked = Type.Object({
  type: Type.String(),
  url: Type.Optional(Type.String()),
  path: Type.Optional(Type.String()),
  host: Type.Optional(Type.String()),
  owner: Type.Optional(Type.String()),
  repo: Type.Optional(Type.String()),
  rev: Type.Optional(Type.String()),
  narHash: Type.Optional(Type.String()),
  lastModified: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 40 })),
})

const Node = Type.Object({
  locked: Type.Optional(Locked),
  inputs: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]))),
  /** Of an input within the flake's own repository (from version 2.26 on): the path to the input it is relative to. */
  parent: Type.Optional(Type.Array(Type.String())),
})

/** flake.lock, versions 5 to 7: https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake#lock-files */
const LockFile = Type.Object({
  version: Type.Integer({ minimum: 5, maximum: 7 }),
  root: Type.String(),
  nodes: Type.Record(Type.String(), Node),
})

const lockFile = Compile(LockFile)

export type LockFile = Static<typeof LockFile>
export type LockedNode = Static<typeof Node>
export type Locked = Static<typeof Locked>

/** The text of flake.lock, null for a flake without one. Throws a NixError `lock_file` when it is of no form that is known. */
export function parseLockFile(text: string | null): LockFile {
  if (text === null) return { version: 7, root: 'root', nodes: {} }
  const document = parseJson(text)
  if (!lockFile.Check(document)) {
    throw new NixError('lock_file', 'flake.lock is not of a form that is known (versions 5 to 7)')
  }
  return document
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new NixError('lock_file', 'flake.lock is not JSON', { cause: error })
  }
}
