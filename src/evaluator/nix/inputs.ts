import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { LockedInput } from './types.ts'

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
})

/** flake.lock, versions 5 to 7, as `nix flake metadata --json` gives it. */
const LockFile = Type.Object({ root: Type.String(), nodes: Type.Record(Type.String(), Node) })

const lockFile = Compile(LockFile)

type Locked = Static<typeof Locked>

/** The inputs of a lock file in the order in which the flake reaches them. Throws an Error when it is not one. */
export function lockedInputs(document: unknown): { inputs: LockedInput[]; allowedUris: string[] } {
  if (!lockFile.Check(document)) throw new Error('flake.lock is not of a form that is known')
  const nodes = new Map(Object.entries(document.nodes))
  const inputs: LockedInput[] = []
  const allowedUris = new Set<string>()
  const reached = new Set([document.root])
  const waiting = [{ key: document.root, path: '' }]
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { path } = next
    for (const [name, target] of Object.entries(nodes.get(next.key)?.inputs ?? {})) {
      // An array is a path to a node that another input has (`follows`).
      if (typeof target !== 'string' || reached.has(target)) continue
      reached.add(target)
      waiting.push({ key: target, path: `${path}${name}/` })
      const locked = nodes.get(target)?.locked
      if (locked === undefined) continue
      inputs.push(lockedInput(`${path}${name}`, locked))
      for (const uri of urisOf(locked)) allowedUris.add(uri)
    }
  }
  return { inputs, allowedUris: [...allowedUris] }
}

function lockedInput(name: string, locked: Locked): LockedInput {
  return {
    name,
    type: locked.type,
    url: placeOf(locked),
    revision: locked.rev ?? null,
    narHash: locked.narHash ?? null,
    lastModified: locked.lastModified === undefined ? null : new Date(locked.lastModified * 1000),
  }
}

function placeOf(locked: Locked): string | null {
  if (locked.owner !== undefined && locked.repo !== undefined) {
    const host = locked.host === undefined ? '' : `?host=${locked.host}`
    return `${locked.type}:${locked.owner}/${locked.repo}${host}`
  }
  if (locked.path !== undefined) return `path:${locked.path}`
  return locked.url === undefined ? null : withoutSecrets(locked.url)
}

function withoutSecrets(text: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  url.username = ''
  url.password = ''
  url.search = ''
  url.hash = ''
  return url.href
}

/**
 * The forms in which versions of Nix ask for an input: 2.8 its URL or path, 2.26 the whole reference, which an entry
 * covers only when it ends before a slash. One that could not be an entry of nix.conf is left out, and so refused.
 */
function urisOf(locked: Locked): string[] {
  const uris: string[] = []
  if (locked.owner !== undefined && locked.repo !== undefined) {
    uris.push(`${locked.type}:${locked.owner}/${locked.repo}`)
  }
  if (locked.path !== undefined) uris.push(locked.path, `path:${parentOf(locked.path)}`)
  if (locked.url !== undefined) {
    uris.push(locked.url, parentOf(locked.url))
    if (locked.type !== 'tarball' && locked.type !== 'file')
      uris.push(`${locked.type}+${parentOf(locked.url)}`)
  }
  return uris.filter((uri) => /^[!-"$-~]+$/.test(uri))
}

const parentOf = (url: string): string => url.slice(0, url.replace(/[?#].*$/s, '').lastIndexOf('/') + 1)
