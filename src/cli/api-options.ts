import { readFileSync } from 'node:fs'
import { BlockList, isIPv6 } from 'node:net'
import type { Command } from 'commander'
import { Secret } from '../lib/secret.ts'
import { createApi, type Api } from './api.ts'
import { createApiClient } from './api-client.ts'
import { UsageError } from './exit.ts'

export interface ApiOptions {
  url?: string
  tokenFile?: string
  json: boolean
}

/** Adds what every command that talks to a server takes. */
export function withApiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'where the server is (else CRYSTAL_FORGE_URL)')
    .option('--token-file <path>', 'file that holds the API token (else CRYSTAL_FORGE_TOKEN)')
    .option('--json', 'print JSON', false)
}

/** The API that options and environment say. Throws a UsageError when they do not say where it is. */
export function openApi(options: Omit<ApiOptions, 'json'>, env: NodeJS.ProcessEnv = process.env): Api {
  const url = readUrl(options.url, env)
  const token = readToken(options.tokenFile, env)
  if (token !== null && url.protocol === 'http:' && !isLoopback(url.hostname))
    process.stderr.write(`warning: the token goes to ${url.host} unencrypted; use https\n`)
  return createApi(createApiClient({ url, token }))
}

/** Where the server is, by `--url` or the environment. Throws a UsageError when they do not say it. */
export function readUrl(option: string | undefined, env: NodeJS.ProcessEnv): URL {
  const [name, text] =
    option === undefined ? ['CRYSTAL_FORGE_URL', env['CRYSTAL_FORGE_URL']] : ['--url', option]
  if (text === undefined || text === '')
    throw new UsageError(
      'where is the server? Give --url or set CRYSTAL_FORGE_URL, such as https://forge.example.org or http://localhost:3000',
    )
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(
      `${name} has to be an address with http:// or https://, such as http://localhost:3000`,
    )
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`${name} may hold no user or password: the API takes a token (CRYSTAL_FORGE_TOKEN)`)
  if (url.search !== '' || url.hash !== '')
    throw new UsageError(`${name} has to be the address of the server alone, without ? or #`)
  return url
}

const TOKEN = /^[A-Za-z0-9_-]{1,256}$/

function readToken(file: string | undefined, env: NodeJS.ProcessEnv): Secret | null {
  const text = file === undefined ? env['CRYSTAL_FORGE_TOKEN'] : readTokenFile(file)
  if (text === undefined || text.trim() === '') {
    if (file !== undefined) throw new Error(`${file} is empty: it has to hold an API token`)
    return null
  }
  const token = text.trim()
  if (!TOKEN.test(token))
    throw new Error(
      `${file ?? 'CRYSTAL_FORGE_TOKEN'} holds no API token: those are letters, digits, _ and - on one line`,
    )
  return new Secret(token)
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error('cannot read the token file', { cause })
  }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  return hostname === 'localhost' || loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
