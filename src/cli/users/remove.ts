import { Command } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'

export function createRemoveCommand(): Command {
  const command = new Command('remove')
    .summary('remove a user, and end all sessions')
    .description(
      'Removes a user with all sessions; the audit trail keeps what the user did. API tokens that the user made go on ' +
        'working: `tokens list` shows them.',
    )
    .argument('<name>', 'what the user signs in with')
  return withApiOptions(command).action(async (name: string, options: ApiOptions) => {
    const api = openApi(options)
    const user = await api.findUser(name)
    await api.removeUser(user.id)
    if (options.json) printJson({ removed: user.name })
    else print(`removed ${user.name}`)
  })
}
