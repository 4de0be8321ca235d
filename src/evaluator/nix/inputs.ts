import type { Locked, LockFile } from './lock-file.ts'
import type { LockedInput } from './types.ts'

/** The inputs of a lock file in the order in which the flake reaches them. */
export function lockedInputs(document: LockFile): { inputs: LockedInput[]; allowedUris: string[] } {
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
