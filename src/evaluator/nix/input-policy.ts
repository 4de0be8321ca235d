import { BlockList, isIP } from 'node:net'
import { dirname, normalize } from 'node:path'
import type { LockedNode } from './lock-file.ts'
import type { FlakeSource } from './types.ts'

/** This machine, what only its own network card answers (RFC 3927, RFC 4291), and where clouds keep secrets of a machine. */
const NEAR = new BlockList()
NEAR.addSubnet('0.0.0.0', 8)
NEAR.addSubnet('127.0.0.0', 8)
NEAR.addSubnet('169.254.0.0', 16)
NEAR.addAddress('100.100.100.200')
NEAR.addAddress('::', 'ipv6')
NEAR.addAddress('::1', 'ipv6')
NEAR.addSubnet('fe80::', 10, 'ipv6')
NEAR.addAddress('fd00:ec2::254', 'ipv6')

/** No character that URL and libcurl read differently, such as `\` and `@`. */
const HOST = /^[A-Za-z0-9._:[\]%-]+$/

const SCHEMES = new Set(['http', 'https', 'ssh', 'git'])

/**
 * Why an input of a lock file is not fetched, null when it is: whoever writes flake.lock says what this machine asks for, and
 * what is in the store everybody on it can read. Files of the machine are refused, except Git repositories when the flake
 * itself is one; so are addresses of the machine itself, except where the flake comes from. A name that leads to such an
 * address is not seen.
 */
export function refusalOf({ locked, parent }: LockedNode, source: FlakeSource): string | null {
  if (locked === undefined) return null
  // Part of the flake itself; Nix does not let it leave its repository.
  if (parent !== undefined && locked.type === 'path' && !locked.path?.startsWith('/')) return null
  if (locked.type === 'indirect') return 'it is not an address, but a name in a registry'
  if (locked.type === 'path') return 'it is a file or directory of this machine'
  if (locked.type === 'git' && isLocal(locked.url ?? '')) return localRefusal(locked.url ?? '', source)
  const address = locked.url === undefined ? null : parse(locked.url)
  if (locked.url !== undefined && address === null) return 'its address is not a URL with a host'
  if (address !== null && !SCHEMES.has(address.scheme)) return `it is of the scheme ${address.scheme}`
  if (locked.host !== undefined && !HOST.test(locked.host))
    return 'its host is not the name or address of one'
  const near = [address?.host, locked.host].filter((host) => host !== undefined && isNear(host))
  const isOwn = near.every((host) => host === hostOf(source.remote))
  return isOwn ? null : 'its host is this machine, or can be reached by it alone'
}

const isLocal = (url: string): boolean => url.startsWith('/') || /^file:/i.test(url)

/** Mirrors are beside this one: of other flakes, which may be private. */
function localRefusal(url: string, source: FlakeSource): string | null {
  if (!source.remote.startsWith('/')) return 'it is a repository on this machine'
  const path = normalize(URL.canParse(url) ? decodeURIComponent(new URL(url).pathname) : url)
  return path.startsWith(`${dirname(source.mirror)}/`) ? 'it is a mirror of this evaluator' : null
}

function parse(url: string): { scheme: string; host: string } | null {
  const match = /^(?:git\+)?([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)*([^/?#@]+)/i.exec(url)
  const [, scheme, authority] = match ?? []
  const host = authority === undefined ? null : plainHost(authority)
  return scheme === undefined || host === null ? null : { scheme: scheme.toLowerCase(), host }
}

/** Without port, and an IPv4 address in its usual form: libcurl takes `2130706433` and `0x7f.1` too, as URL does. */
function plainHost(authority: string): string | null {
  if (!URL.canParse(`http://${authority}/`)) return null
  return new URL(`http://${authority}/`).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function isNear(text: string): boolean {
  const host = plainHost(isIP(text) === 6 ? `[${text}]` : text) ?? text
  const family = isIP(host)
  if (family !== 0) return NEAR.check(host, family === 6 ? 'ipv6' : 'ipv4')
  return host === 'localhost' || host.endsWith('.localhost')
}

function hostOf(remote: string): string | null {
  return parse(remote)?.host ?? plainHost(/^(?:[^@/]*@)?([^:/]+):/.exec(remote)?.[1] ?? '')
}
