import { parseFlakeUrl } from '../../fleet/flake-url.ts'
import { type Config, loadConfig } from '../../lib/config/load.ts'
import { readSecretFile } from '../../lib/config/secret-files.ts'
import type { Secret } from '../../lib/secret.ts'
import { readUrl } from '../api-options.ts'
import { UsageError } from '../exit.ts'

export interface TargetOptions {
  flake?: string
  branch?: string
  secretFile?: string
  url?: string
}

export interface Target {
  /** Of the server. */
  url: URL
  remote: string
  branch: string
  secret: string
}

/** Where the webhook goes, of what it is and what signs it: by the options, and by the configuration where they are silent. */
export function findTarget(options: TargetOptions, env: NodeJS.ProcessEnv): Target {
  const { secretFile } = options
  // the secrets of a server can be read where the server runs, and nowhere else
  const part = secretFile === undefined ? 'server' : 'none'
  const config = loadConfig({ env, cwd: process.cwd(), part })
  const { url, branch } = findFlake(config, options.flake)
  const flake = parse(url)
  return {
    url: readUrl(options.url, { CRYSTAL_FORGE_URL: addressOf(config), ...env }),
    remote: flake.remote,
    branch: options.branch ?? branch ?? flake.branch ?? 'main',
    secret: firstOf(secretFile === undefined ? secretOf(config, url) : readSecretFile(secretFile)),
  }
}

function findFlake(config: Config, given: string | undefined): { url: string; branch: string | null } {
  const { flakes } = config
  if (given !== undefined) {
    const { repository } = parse(given)
    const known = flakes.find(({ url }) => url === given || parse(url).repository === repository)
    return { url: given, branch: parse(given).branch ?? known?.branch ?? null }
  }
  const [only, ...others] = flakes
  if (only === undefined)
    throw new UsageError('which flake was pushed to? The configuration declares none: give --flake URL')
  if (others.length > 0)
    throw new UsageError(
      `which flake was pushed to? Give --flake with one of: ${flakes.map(({ url }) => url).join(', ')}`,
    )
  return only
}

function parse(url: string) {
  try {
    return parseFlakeUrl(url)
  } catch (cause) {
    throw new UsageError(`--flake ${cause instanceof Error ? cause.message : 'is no address'}`, { cause })
  }
}

function secretOf(config: Config, url: string): Secret {
  const { repository } = parse(url)
  const own = config.flakes.find(
    (flake) => flake.webhook_secret !== null && parse(flake.url).repository === repository,
  )
  const secret = own?.webhook_secret ?? config.server.webhook_secrets[0]
  if (secret === undefined)
    throw new UsageError(
      'what signs the webhook? The configuration has no webhook_secret_file for this flake, and no [server] ' +
        'webhook_secret_files: give --secret-file',
    )
  return secret
}

/** A file may hold several, while one replaces another. */
function firstOf(file: Secret): string {
  const lines = file.reveal().split('\n')
  return lines.map((line) => line.trim()).find((line) => line !== '') ?? ''
}

function addressOf({ server }: Config): string {
  if (server.public_url !== null) return server.public_url
  return `${server.tls_cert_file === null ? 'http' : 'https'}://localhost:${server.port}`
}
