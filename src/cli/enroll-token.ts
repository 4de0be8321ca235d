import { Command, Option } from 'commander'
import type { ApiEnrollToken } from './api.ts'
import { type ApiOptions, openApi, withApiOptions } from './api-options.ts'
import { printCreatedToken } from './created-token.ts'
import { parseExpiry, parsePositive } from './option-parsers.ts'
import { type Column, escapeControls, print, printJson, printTable } from './output.ts'
import { formatSpan, formatTime } from './times.ts'

interface CreateOptions extends ApiOptions {
  name: string
  uses: number
  expires: number
  environment?: string
  flake?: string
  hostname?: string
  needsApproval: boolean
}

export function createEnrollTokenCommand(): Command {
  return new Command('enroll-token')
    .description('Tokens that let new agents in: an agent with one makes its own key and enrols it.')
    .addCommand(createCreateCommand())
    .addCommand(createListCommand())
    .addCommand(createRevokeCommand())
}

function createCreateCommand(): Command {
  const command = new Command('create')
    .description('Makes an enrolment token and prints it, this once.')
    .option('--name <name>', 'what it is for, as the list shows it', 'made by the CLI')
    .option('--uses <number>', 'how many agents may enrol with it', parsePositive, 1)
    .addOption(
      new Option('--expires <duration>', 'how long it is valid, such as 24h or 7d')
        .argParser(parseExpiry)
        .default(86_400, '24h'),
    )
    .option('--environment <name>', 'of the systems that enrol with it')
    .option('--flake <url>', 'of the systems that enrol with it')
    .option('--hostname <host>', 'the only host name it lets in')
    .option('--needs-approval', 'what enrols waits for `systems approve`', false)
  return withApiOptions(command).action(async (options: CreateOptions) => {
    const { name, uses, expires, environment, flake, hostname, needsApproval } = options
    const created = await openApi(options).createEnrollToken({
      name,
      uses,
      expires_in_secs: expires,
      needs_approval: needsApproval,
      ...(environment !== undefined && { environment }),
      ...(flake !== undefined && { flake_url: flake }),
      ...(hostname !== undefined && { hostname }),
    })
    printCreatedToken(created, createdText(options), options.json)
  })
}

function createdText({ uses, expires, hostname, needsApproval }: CreateOptions): string {
  const agents = `${uses} ${uses === 1 ? 'agent' : 'agents'}`
  const host = hostname === undefined ? '' : ` named ${escapeControls(hostname)}`
  const approval = needsApproval ? ', each after your approval' : ''
  return `Lets ${agents}${host} enrol within ${formatSpan(expires)}${approval}`
}

function createListCommand(): Command {
  const command = new Command('list').description(
    'Lists the enrolment tokens that are not revoked, expired and used up ones too; never their text.',
  )
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const { enroll_tokens: tokens } = await api.listEnrollTokens()
    if (options.json) printJson({ enroll_tokens: tokens })
    else printTable(columns(api.serverTime()), tokens, 'no enrolment tokens')
  })
}

function createRevokeCommand(): Command {
  const command = new Command('revoke')
    .description('Makes an enrolment token worthless. Systems that enrolled with it stay.')
    .argument('<id>', 'as `enroll-token list` shows it', parsePositive)
  return withApiOptions(command).action(async (id: number, options: ApiOptions) => {
    await openApi(options).revokeEnrollToken(id)
    if (options.json) printJson({ revoked: id })
    else print(`revoked the enrolment token ${id}`)
  })
}

const columns = (now: number): Column<ApiEnrollToken>[] => [
  { header: 'id', value: ({ id }) => id, align: 'right' },
  { header: 'name', value: ({ name }) => name },
  { header: 'uses left', value: ({ uses_left }) => uses_left, align: 'right' },
  { header: 'expires', value: ({ expires_at }) => expiryText(expires_at, now) },
  { header: 'environment', value: ({ environment }) => environment },
  { header: 'host name', value: ({ hostname }) => hostname ?? 'any' },
  { header: 'approval', value: ({ needs_approval }) => (needs_approval ? 'needed' : 'not needed') },
  { header: 'flake', value: ({ flake_url }) => flake_url },
]

function expiryText(expiresAt: string, now: number): string | null {
  return Date.parse(expiresAt) <= now
    ? `expired ${formatTime(expiresAt, now) ?? ''}`
    : formatTime(expiresAt, now)
}
