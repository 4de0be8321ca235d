import { dirname } from 'node:path'
import type { NixContext } from './context.ts'
import { cacheDirectory, type NixHome } from './home.ts'
import type { FetchedFlake, FlakeSource } from './types.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where the store is, and the certificates and proxies of the machine: what Nix needs from outside. */
const STORE_VARIABLES = ['NIX_REMOTE', 'NIX_DAEMON_SOCKET_PATH'] as const
const NETWORK_VARIABLES = [
  'NIX_SSL_CERT_FILE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
] as const

/** The discard port (RFC 863) of this machine as proxy: libcurl reaches nothing, whatever the URL. */
const NOWHERE = 'http://127.0.0.1:9'

/** For steps that concern nothing but the store. */
export function storeEnvironment({ home, machine }: NixContext): Environment {
  return {
    ...pick(machine, STORE_VARIABLES),
    HOME: home.home,
    NIX_CONF_DIR: home.settings,
    NIX_USER_CONF_FILES: '',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    NO_COLOR: '1',
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
  }
}

function baseEnvironment(context: NixContext, source: FlakeSource): Environment {
  return { ...storeEnvironment(context), XDG_CACHE_HOME: cacheDirectory(context.home, source) }
}

/** For the step that fetches: with the machine's network settings, and `credentials` over all. */
export function fetchEnvironment(
  context: NixContext,
  source: FlakeSource,
  credentials: Environment,
): Environment {
  const { programs, machine } = context
  return {
    ...baseEnvironment(context, source),
    ...pick(machine, NETWORK_VARIABLES),
    PATH: [dirname(programs.git), machine['PATH']].filter(Boolean).join(':'),
    ...credentials,
  }
}

/**
 * For evaluation: pure and restricted, and no way to the network beside. `builtins.getFlake` of a locked reference is
 * checked by neither `pure-eval` nor `restrict-eval` (Nix 2.8 to 2.26): it asks git and libcurl, which are told here
 * that there is no network, and other programs are not on PATH.
 */
export function evaluationEnvironment(context: NixContext, flake: FetchedFlake): Environment {
  const { source } = flake
  const mayBuild = source.allowImportFromDerivation
  return {
    ...(mayBuild ? fetchEnvironment(context, source, {}) : baseEnvironment(context, source)),
    ...(mayBuild ? {} : withoutNetwork(context.home)),
    NIX_CONFIG: [
      'pure-eval = true',
      'restrict-eval = true',
      `allowed-uris = ${flake.allowedUris.join(' ')}`,
      `allow-import-from-derivation = ${mayBuild}`,
      ...(mayBuild ? ['substituters = https://cache.nixos.org/'] : []),
    ].join('\n'),
  }
}

function withoutNetwork(home: NixHome): Environment {
  const proxies = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'HTTPS_PROXY', 'ALL_PROXY']
  return {
    PATH: home.programs,
    GIT_ALLOW_PROTOCOL: 'file',
    ...Object.fromEntries(proxies.map((name) => [name, NOWHERE])),
  }
}

function pick(from: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(names.map((name) => [name, from[name]]))
}
