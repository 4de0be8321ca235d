import { isIP, isIPv4 } from 'node:net'
import { mismatch, patternKind, textKind, type Kind } from './kinds.ts'

const NAME = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?'
const hostName = new RegExp(`^(?=.{1,253}$)${NAME}(\\.${NAME})*\\.?$`)

export const isHost = (text: string): boolean => isIP(text) !== 0 || hostName.test(text)

/** The name a machine is registered under, or reports. */
export const systemName = patternKind('host name', 'a host name', hostName)

export const host = textKind('host name or IP address', 'a host name or an IP address', (text) => {
  if (!isHost(text)) throw mismatch('a host name or an IP address, without scheme, port or path', text)
  return text
})

/** Of a URL: neither an address with a zone (RFC 6874) nor a name that ends in a number without being an address can be in one. */
export const urlHost = textKind('host name or IP address', 'a host name or an IP address', (text) => {
  if (!isHost(text) || !URL.canParse(httpUrl(text, 80)))
    throw mismatch('a host name or an IP address that a URL can name', text)
  return text
})

export const httpUrl = (name: string, port: number): string =>
  `http://${name.includes(':') ? `[${name}]` : name}:${port}`

/** As libpq takes them: a directory is where the Unix socket of PostgreSQL is. A host may name its port. */
export const databaseHost = textKind('hosts or socket directories', 'a host name', (text) => {
  for (const each of text.split(',')) {
    if (databasePlace(each, 0) === undefined) {
      const list = text === each ? '' : ', and several with commas between them'
      throw mismatch(
        `a host name or an IP address, with or without a port, or the absolute path of a socket directory${list}`,
        each,
      )
    }
  }
  return text
})

/** Where a PostgreSQL server listens. */
export interface DatabasePlace {
  /** Without brackets; the directory of the socket begins with `/`. */
  host: string
  port: number
}

/**
 * What a list of hosts stands for; `port` is of those that name none. What is no list is one socket directory, with a comma
 * in its name: that of the embedded PostgreSQL is where the state directory is.
 */
export function databasePlaces(hosts: string, port: number): DatabasePlace[] {
  const places = hosts.split(',').map((each) => databasePlace(each, port))
  const known = places.filter((place) => place !== undefined)
  return known.length < places.length && hosts.startsWith('/') ? [{ host: hosts, port }] : known
}

function databasePlace(text: string, port: number): DatabasePlace | undefined {
  if (isHost(text) || /^\/[^,\s]*$/.test(text)) return { host: text, port }
  const parts = splitAuthority(text)
  return parts && { host: parts.host, port: parts.port ?? port }
}

/** `https://name[:port]`: scheme, host and port, nothing else. Not quoted in errors: a password can be in it. */
export const origin = textKind('origin (URL without path)', 'an origin', (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Error('must be an origin such as "https://forge.example.org"')
  }
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    throw new Error('must be an origin such as "https://forge.example.org", without path, query and fragment')
  }
  return url.origin
})

/**
 * The address of an OpenID Connect provider, to the letter: a slash at its end belongs to it. In the clear only on this
 * machine: who can change what the provider says can sign in as anybody.
 */
export const issuer = textKind('address of a provider', 'an address', (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.search !== '' || url.hash !== '' || /[?#\s]/.test(text))
    throw new Error('must be an address such as "https://id.example.org/realms/infra"')
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password')
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw new Error('must begin with "https://"; only a provider on this machine may be without TLS')
  return text
})

/** `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`, lower case as `@authority` is (RFC 9421, 2.2.3). */
export const authority = textKind('host name with or without port', 'a host name', (text) => {
  if (splitAuthority(text) === undefined)
    throw mismatch('a Host name such as "forge.example.org" or "192.0.2.1:3000"', text)
  return text.toLowerCase()
})

/** An address range; a single address is the range that holds only it. */
export const cidr = textKind('CIDR', 'a CIDR', (text) => {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = isIPv4(address) ? 32 : 128
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0 || !(length <= bits)) {
    throw mismatch('an address range such as "10.0.0.0/8" or "2001:db8::/32"', text)
  }
  return `${address}/${length}`
})

export interface Listen {
  host: string
  port: number
}

export const listen: Kind<Listen> = {
  type: 'address and port',
  fromText: (text) => text,
  parse: (raw) => {
    const parts = typeof raw === 'string' ? splitAuthority(raw) : undefined
    if (parts?.port === undefined)
      throw mismatch('an address and a port such as "127.0.0.1:9464" or "[::1]:9464"', raw)
    return { host: parts.host, port: parts.port }
  },
  format: ({ host: name, port }) => `${name.includes(':') ? `[${name}]` : name}:${port}`,
}

function splitAuthority(text: string): { host: string; port: number | undefined } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const name = bracketed ?? plain ?? ''
  const port = digits === undefined ? undefined : Number(digits)
  const isName = bracketed === undefined ? isHost(name) : isIP(name) === 6
  return isName && (port ?? 0) <= 65_535 ? { host: name, port } : undefined
}
