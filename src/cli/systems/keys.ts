import { Command } from 'commander'
import type { ApiKey } from '../api.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { UsageError } from '../exit.ts'
import { readPublicKeyFile } from '../option-parsers.ts'
import { type Column, print, printJson, printTable } from '../output.ts'
import { formatTime } from '../times.ts'

export function createKeysCommand(): Command {
  return new Command('keys')
    .summary('the keys of a system')
    .description(
      'The keys a system may report with. To rotate: add the new one, deploy it, revoke the old one.',
    )
    .addCommand(createKeysListCommand())
    .addCommand(createKeysAddCommand())
    .addCommand(createKeysRevokeCommand())
}

function createKeysListCommand(): Command {
  const command = new Command('list')
    .description('Lists the keys of a system, oldest first, revoked ones too.')
    .argument('<host>', 'its host name')
  return withApiOptions(command).action(async (hostname: string, options: ApiOptions) => {
    const api = openApi(options)
    const { keys } = await api.listSystemKeys(hostname)
    if (options.json) printJson({ keys })
    else printTable(keyColumns(api.serverTime()), keys, `${hostname} has no key yet`)
  })
}

function createKeysAddCommand(): Command {
  const command = new Command('add')
    .description('Gives a system one more key, active at once.')
    .argument('<host>', 'its host name')
    .option('--public-key <base64>', 'the public key')
    .option('--public-key-file <path>', 'the same, in a file as keygen writes it')
  return withApiOptions(command).action(
    async (hostname: string, options: ApiOptions & { publicKey?: string; publicKeyFile?: string }) => {
      const { key_id } = await openApi(options).addSystemKey(hostname, givenKey(options))
      if (options.json) printJson({ hostname, key_id })
      else print(`added the key ${key_id} to ${hostname}`)
    },
  )
}

function createKeysRevokeCommand(): Command {
  const command = new Command('revoke')
    .description('Revokes a key for ever: it never works again. What it signed stays as evidence.')
    .argument('<host>', 'its host name')
    .argument('<key-id>', 'as `keys list` shows it')
  takeKeyIdsAsArguments(command)
  return withApiOptions(command).action(async (hostname: string, keyId: string, options: ApiOptions) => {
    await openApi(options).revokeSystemKey(hostname, keyId)
    if (options.json) printJson({ hostname, revoked: keyId })
    else print(`revoked the key ${keyId} of ${hostname}`)
  })
}

const KEY_ID_LIKE_OPTION = /^-[A-Za-z0-9_-]{42}$/

/** One key id in 64 begins with `-`. It is no option then either. */
function takeKeyIdsAsArguments(command: Command): void {
  const parseOptions = command.parseOptions.bind(command)
  command.parseOptions = (args) => {
    const ids = args.filter((arg) => KEY_ID_LIKE_OPTION.test(arg))
    if (ids.length === 0) return parseOptions(args)
    return parseOptions([...args.filter((arg) => arg !== '--' && !ids.includes(arg)), '--', ...ids])
  }
}

function givenKey({ publicKey, publicKeyFile }: { publicKey?: string; publicKeyFile?: string }): string {
  if (publicKey !== undefined && publicKeyFile === undefined) return publicKey
  if (publicKeyFile !== undefined && publicKey === undefined) return readPublicKeyFile(publicKeyFile)
  throw new UsageError('give the key with either --public-key or --public-key-file')
}

/** The columns of keys, also for `systems show`. */
export const keyColumns = (now: number): Column<ApiKey>[] => [
  { header: 'key id', value: ({ id }) => id },
  { header: 'status', value: ({ status }) => status },
  { header: 'from', value: ({ declared }) => (declared ? 'configuration' : 'api or enrolment') },
  { header: 'added', value: ({ created_at }) => formatTime(created_at, now) },
  { header: 'revoked', value: ({ revoked_at }) => formatTime(revoked_at, now) },
]
