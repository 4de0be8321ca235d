import { isIP } from 'node:net'
import { isHost } from '../lib/config/network-kinds.ts'

/** An address that Git takes, in parts. */
export interface GitAddress {
  scheme: 'http' | 'https' | 'ssh' | 'git' | 'file'
  user: string | null
  /** Lower case; empty for a local path. */
  host: string
  port: number | null
  /** The path between its slashes, decoded. */
  segments: string[]
}

/** They say only which protocol is spoken: HTTP, HTTPS, SSH and Git's own. */
const PROTOCOL_PORTS = new Set([80, 443, 22, 9418])

/** Forges that take `Owner/Repo` and `owner/repo` for the same repository. */
const CASE_BLIND_HOSTS = new Set(['github.com', 'gitlab.com'])

const URL_FORM =
  /^(?:git\+)?(https?|ssh|git):\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@[\]]*)(?::(\d{1,5}))?\/(.*)$/
const SCP_FORM = /^([^@/:]+)@(\[[^\]/]*\]|[^:/@[\]]*):(?![-:])(.+)$/
const FILE_FORM = /^(?:git\+)?file:\/\/(?:localhost)?(\/.*)$/
const SHORTHAND = /^(github|gitlab|sourcehut):([^/]+)\/([^/]+)(?:\/(.+))?$/

/** Where the shorthands of Nix lead, unless `?host=` says otherwise. Sourcehut has no `.git` at the end. */
const FORGES: Readonly<Record<string, { host: string; suffix: string }>> = {
  github: { host: 'github.com', suffix: '.git' },
  gitlab: { host: 'gitlab.com', suffix: '.git' },
  sourcehut: { host: 'git.sr.ht', suffix: '' },
}

/**
 * The same text for every address of a repository, whether a flake's, a clone URL, or the web page that a webhook names:
 * `host/path`, or `file:///path` for a local one. Scheme, user, port of the protocol, `.git`, query and the case of the
 * host do not count. Null when `url` addresses no repository. A key is its own key.
 */
export function repositoryKey(url: string): string | null {
  const [bare = ''] = url.split(/[?#]/, 1)
  const address =
    parseGitAddress(expandShorthand(bare, null)?.remote ?? bare) ?? parseGitAddress(`https://${bare}`)
  if (address === null) return null
  const { host, port } = address
  const segments = CASE_BLIND_HOSTS.has(host)
    ? address.segments.map((segment) => segment.toLowerCase())
    : address.segments
  const named = withoutSuffix(segments)
  // `...git`
  if (named.length === 0 || ['.', '..'].includes(named.at(-1) ?? '')) return null
  const path = named.map(encodeURIComponent).join('/')
  if (host === '') return `file:///${path}`
  return port === null || PROTOCOL_PORTS.has(port) ? `${host}/${path}` : `${host}:${port}/${path}`
}

/** The parts of a URL, an scp-like address or an absolute path, without query; null when it is none of them. */
export function parseGitAddress(text: string): GitAddress | null {
  if (text.startsWith('/')) return localAddress(text.split('/'))
  const [, file] = FILE_FORM.exec(text) ?? []
  if (file !== undefined) return localAddress(decodePath(file))
  const [, scheme, user = null, host = '', port, path = ''] = URL_FORM.exec(text) ?? []
  if (isScheme(scheme)) return remoteAddress({ scheme, user, host, port }, decodePath(path))
  const [, account = null, server = '', raw] = SCP_FORM.exec(text) ?? []
  if (raw === undefined) return null
  return remoteAddress({ scheme: 'ssh', user: account, host: server, port: undefined }, raw.split('/'))
}

/**
 * What `github:owner/repo/ref` and the like stand for: the address, and the part after it; null for any other form.
 * In `gitlab:` a group within a group is written with `%2F`.
 */
export function expandShorthand(
  text: string,
  host: string | null,
): { remote: string; ref: string | null } | null {
  const [, name = '', owner = '', repository = '', ref] = SHORTHAND.exec(text) ?? []
  const forge = FORGES[name]
  if (forge === undefined) return null
  const path = [...(decodePath(owner)?.join('/').split('/') ?? ['']), ...(decodePath(repository) ?? [''])]
  if (path.includes('')) return null
  const encoded = path.map((segment) => encodeURIComponent(segment)).join('/')
  return { remote: `https://${host ?? forge.host}/${encoded}${forge.suffix}`, ref: ref ?? null }
}

const SCHEMES = ['http', 'https', 'ssh', 'git'] as const

function isScheme(text: string | undefined): text is (typeof SCHEMES)[number] {
  return SCHEMES.some((scheme) => scheme === text)
}

function localAddress(segments: string[] | null): GitAddress | null {
  return cleaned({ scheme: 'file', user: null, host: '', port: null }, segments)
}

function remoteAddress(
  { port, ...place }: Pick<GitAddress, 'scheme' | 'user' | 'host'> & { port: string | undefined },
  segments: string[] | null,
): GitAddress | null {
  const host = place.host.toLowerCase().replace(/\.$/, '')
  const isAddress = host.startsWith('[') ? isIP(host.slice(1, -1)) === 6 : isHost(host) && !host.endsWith('.')
  if (!isAddress || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return null
  return cleaned({ ...place, host, port: port === undefined ? null : Number(port) }, segments)
}

/** Without empty segments; null where one leads elsewhere or cannot be written. */
function cleaned(place: Omit<GitAddress, 'segments'>, segments: string[] | null): GitAddress | null {
  const named = segments?.filter((segment) => segment !== '') ?? []
  const isClean = named.every(
    (segment) =>
      segment !== '.' && segment !== '..' && !/[\p{Cc}\\]/u.test(segment) && segment.isWellFormed(),
  )
  return isClean && named.length > 0 ? { ...place, segments: named } : null
}

function decodePath(path: string): string[] | null {
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return null
  }
}

/** Without `.git`, also that of a working tree (`/srv/configs/.git`), however often: a key has to be its own key. */
function withoutSuffix(segments: readonly string[]): string[] {
  const [last, ...others] = segments.toReversed()
  if (last === undefined) return []
  const name = last.replace(/(\.git)+$/, '')
  return name === '' ? withoutSuffix(others.toReversed()) : [...others.toReversed(), name]
}
