import { isHost } from '../lib/config/network-kinds.ts'
import { flakeUrl, isBranchName } from '../lib/config/value-kinds.ts'
import { expandShorthand, parseGitAddress, repositoryKey } from './repository-key.ts'

/** A flake's address, as Git is asked for it. */
export interface FlakeUrl {
  /** What `git fetch` gets: a URL, an scp-like address, or an absolute path. */
  remote: string
  /** Null follows the remote's HEAD. */
  branch: string | null
  /** Where flake.nix is, relative to the root of the repository; null at the root. */
  directory: string | null
  submodules: boolean
  /** As `repositoryKey` gives it, for comparing. */
  repository: string
}

const MEMBERS = new Set(['ref', 'dir', 'submodules', 'host'])

/**
 * The parts of a flake's address in any form of Nix or Git that leads to a Git repository:
 * https://nix.dev/manual/nix/stable/command-ref/new-cli/nix3-flake#types. Throws an Error, "must …", that never quotes
 * the address: people put tokens into them.
 */
export function parseFlakeUrl(text: string): FlakeUrl {
  flakeUrl.parse(text, '/')
  if (text.includes('#')) throw new Error('must not name an attribute ("#…")')
  const mark = text.indexOf('?')
  const bare = mark === -1 ? text : text.slice(0, mark)
  const members = readMembers(mark === -1 ? '' : text.slice(mark + 1))
  const host = members.get('host') ?? null
  if (host !== null && !isHost(host)) throw new Error('must name a host in "?host="')
  const shorthand = expandShorthand(bare, host)
  if (host !== null && shorthand === null) {
    throw new Error('must not hold "?host=", which belongs to "github:", "gitlab:" and "sourcehut:"')
  }
  if (shorthand !== null && shorthand.ref !== null && members.has('ref')) {
    throw new Error('must not name two branches')
  }
  const remote = remoteOf(shorthand?.remote ?? bare)
  const repository = repositoryKey(remote)
  if (repository === null) throw notAnAddress()
  return {
    remote,
    branch: branchOf(shorthand?.ref ? decode(shorthand.ref) : members.get('ref')),
    directory: directoryOf(members.get('dir')),
    submodules: flagOf(members.get('submodules')),
    repository,
  }
}

function remoteOf(bare: string): string {
  const address = parseGitAddress(bare)
  if (address === null || address.scheme === 'git') throw notAnAddress()
  // A path: Git takes a host in `file://` for part of the path.
  if (address.scheme === 'file') return `/${address.segments.join('/')}`
  if (address.user !== null && !/^\w[\w.-]*$/.test(address.user)) {
    throw new Error('must name an account of letters, digits, ".", "-" and "_" before the "@"')
  }
  if (/^https?:.*\.(tar|tgz|zip|tar\.[a-z0-9]+)$/i.test(bare)) {
    throw new Error('must be the address of a Git repository, not of an archive')
  }
  return bare.replace(/^git\+/, '')
}

function readMembers(query: string): Map<string, string> {
  const members = new Map<string, string>()
  for (const part of query.split('&').filter((each) => each !== '')) {
    const mark = part.indexOf('=')
    const [name, value] = mark === -1 ? [part, ''] : [part.slice(0, mark), part.slice(mark + 1)]
    if (name === 'rev') throw new Error('must not pin a revision ("?rev="): a branch is followed')
    if (!MEMBERS.has(name))
      throw new Error('must have no query but "?ref=", "?dir=", "?submodules=" and "?host="')
    if (members.has(name)) throw new Error(`must hold "?${name}=" once`)
    members.set(name, decode(value))
  }
  return members
}

function branchOf(ref: string | undefined): string | null {
  if (ref === undefined || ref === 'HEAD') return null
  const name = ref.replace(/^refs\/heads\//, '')
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name))
    throw new Error('must not pin a revision: a branch is followed')
  if (!isBranchName(name) || name.startsWith('refs/'))
    throw new Error('must name a branch, such as "?ref=main"')
  return name
}

function directoryOf(dir: string | undefined): string | null {
  if (dir === undefined) return null
  const segments = dir.replace(/\/$/, '').split('/')
  if (segments.some((segment) => ['', '.', '..'].includes(segment)) || /[\p{Cc}\\]/u.test(dir)) {
    throw new Error('must name a directory within the repository, such as "?dir=hosts"')
  }
  return segments.join('/')
}

function flagOf(text: string | undefined): boolean {
  if (text === undefined || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new Error('must hold "?submodules=1" or "?submodules=0"')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new Error('must be percent-encoded correctly', { cause: error })
  }
}

function notAnAddress(): Error {
  return new Error('must be a Git URL such as "git+https://github.com/yourorg/nixos-configs"')
}
