import { Command, Option } from 'commander'
import { type Role, ROLES } from '../store/api-tokens.ts'
import type { ApiApiToken, CreatedToken } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { printCreatedToken } from './created-token.ts'
import { parseExpiry, parsePositive } from './option-parsers.ts'
import { type Column, print, printJson, printTable } from './output.ts'
import { formatSpan, formatTime } from './times.ts'

interface CreateOptions extends ApiOptions {
  name: string
  role: Role
  expires?: number
  database: boolean
}

export function createTokensCommand(): Command {
  return new Command('tokens')
    .description(
      'API tokens: what the commands and other programs show the server. A viewer reads, an operator also changes ' +
        'systems and enrolment tokens, an admin also tokens.',
    )
    .addCommand(createCreateCommand())
    .addCommand(createListCommand())
    .addCommand(createRevokeCommand())
}

function createCreateCommand(): Command {
  const command = new Command('create')
    .description(
      'Makes an API token and prints it, this once: over the API with the token of an admin, or, for the first one, ' +
        'with --database directly in the database that the configuration names (run it where the server runs, as its ' +
        'user; the embedded PostgreSQL too, while the server runs or not).',
    )
    .requiredOption('--name <name>', 'whose it is or what it is for, as the list shows it')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--expires <duration>', 'how long it is valid, such as 90d (default: until revoked)', parseExpiry)
  return withApiOptions(command)
    .addOption(
      new Option('--database', 'write it to the database instead of asking a server')
        .default(false)
        .conflicts(['url', 'tokenFile']),
    )
    .action(async (options: CreateOptions) => {
      printCreatedToken(await createToken(options), createdText(options), options.json)
    })
}

async function createToken(options: CreateOptions): Promise<CreatedToken> {
  const { name, role, expires, database } = options
  if (database) {
    const expiresAt = expires === undefined ? null : new Date(Date.now() + expires * 1000)
    // imported here: the other ways need no database
    const { createTokenInDatabase } = await import('./tokens-database.ts')
    return createTokenInDatabase({ name, role, expiresAt })
  }
  return openApi(options).createToken({
    name,
    role,
    ...(expires !== undefined && { expires_in_secs: expires }),
  })
}

function createdText({ role, expires }: CreateOptions): string {
  const article = role === 'viewer' ? 'a' : 'an'
  return `Made ${article} ${role}'s token, valid ${expires === undefined ? 'until it is revoked' : `for ${formatSpan(expires)}`}`
}

function createListCommand(): Command {
  const command = new Command('list').description(
    'Lists the API tokens that are not revoked, expired ones too; never their text.',
  )
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const { tokens } = await api.listTokens()
    if (options.json) printJson({ tokens })
    else printTable(columns(api.serverTime()), tokens, 'no API tokens')
  })
}

function createRevokeCommand(): Command {
  const command = new Command('revoke')
    .description('Revokes an API token at once.')
    .argument('<id>', 'as `tokens list` shows it', parsePositive)
  return withApiOptions(command).action(async (id: number, options: ApiOptions) => {
    await openApi(options).revokeToken(id)
    if (options.json) printJson({ revoked: id })
    else print(`revoked the token ${id}`)
  })
}

const columns = (now: number): Column<ApiApiToken>[] => [
  { header: 'id', value: ({ id }) => id, align: 'right' },
  { header: 'name', value: ({ name }) => name },
  { header: 'role', value: ({ role }) => role },
  { header: 'created', value: ({ created_at }) => formatTime(created_at, now) },
  { header: 'last used', value: ({ last_used_at }) => formatTime(last_used_at, now) ?? 'never' },
  { header: 'expires', value: ({ expires_at }) => expiryText(expires_at, now) },
]

function expiryText(expiresAt: string | null, now: number): string | null {
  if (expiresAt === null) return 'never'
  return Date.parse(expiresAt) <= now
    ? `expired ${formatTime(expiresAt, now) ?? ''}`
    : formatTime(expiresAt, now)
}
