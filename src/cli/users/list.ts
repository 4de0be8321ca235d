import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { type Column, printJson, printTable } from '../output.ts'
import type { ApiUser } from '../people-api.ts'
import { formatTime } from '../times.ts'

export function createListCommand(): Command {
  const command = new Command('list')
    .summary('everybody who may sign in, or might again')
    .description('Lists the users in the order of their names.')
  return withApiOptions(command).action(async (options: ApiOptions) => {
    const api = openApi(options)
    const { users } = await api.listUsers()
    if (options.json) printJson({ users })
    else
      printTable(
        columns(api.serverTime()),
        users,
        'no users: `users setup-link` makes the link for the first',
      )
  })
}

const columns = (now: number): Column<ApiUser>[] => [
  { header: 'name', value: ({ name }) => name },
  { header: 'display name', value: ({ display_name: name }) => (name === '' ? null : name) },
  { header: 'role', value: ({ role }) => role },
  { header: 'signs in', value: waysText },
  { header: 'last sign-in', value: (user) => formatTime(user.last_sign_in_at, now) ?? 'never' },
  { header: 'added', value: (user) => formatTime(user.created_at, now) },
]

function waysText({ disabled, signs_in_by: by }: ApiUser): string {
  if (disabled) return 'disabled'
  return by === null ? 'no password yet' : `by ${by === 'oidc' ? 'OpenID Connect' : by}`
}
