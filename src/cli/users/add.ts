import { Command, Option } from 'commander'
import { type Role, ROLES } from '../../store/api-tokens.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { formatTime } from '../times.ts'
import { printCreatedLink } from './created-link.ts'

interface AddOptions extends ApiOptions {
  role: Role
  displayName?: string
}

export function createAddCommand(): Command {
  const command = new Command('add')
    .summary('add somebody, and print the link with which a password is chosen')
    .description(
      'Adds a user and prints a link, this once and valid for three days, with which the user chooses a password. Hand ' +
        'it over by a way that nobody else reads.',
    )
    .argument('<name>', 'what the user signs in with')
    .addOption(new Option('--role <role>', 'what the user may do').choices(ROLES).makeOptionMandatory())
    .option('--display-name <name>', 'what the user is called, where that is something else')
  return withApiOptions(command).action(async (name: string, options: AddOptions) => {
    const { role, displayName, json } = options
    const api = openApi(options)
    const answer = await api.addUser({
      name,
      role,
      ...(displayName !== undefined && { display_name: displayName }),
    })
    const { link, expires_at: until } = answer.password_link
    const about = `Added ${answer.user.name} as ${role}, who chooses a password there until ${formatTime(until, api.serverTime())}.`
    printCreatedLink(link, { about, json, answer })
  })
}
