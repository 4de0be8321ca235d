import { Argument, Command } from 'commander'
import { type Role, ROLES } from '../../store/api-tokens.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { print, printJson } from '../output.ts'

export function createSetRoleCommand(): Command {
  const command = new Command('set-role')
    .summary('change what a user may do')
    .description(
      'Changes the role of a user, at once: sessions that are open have it too. The role of who signs in with OpenID ' +
        'Connect comes from the groups there.',
    )
    .argument('<name>', 'what the user signs in with')
    .addArgument(new Argument('<role>', 'what the user may do').choices(ROLES))
  return withApiOptions(command).action(async (name: string, role: Role, options: ApiOptions) => {
    const api = openApi(options)
    const user = await api.findUser(name)
    await api.changeUser(user.id, { role })
    if (options.json) printJson({ name: user.name, role })
    else print(`${user.name} is ${role} now`)
  })
}

export function createDisableCommand(): Command {
  return createSwitchCommand('disable', {
    disabled: true,
    summary: 'shut a user out, and end all sessions',
    description:
      'Shuts a user out at once: every session ends, and signing in is refused, until `users enable`.',
    done: (name) => `${name} is shut out now, and signed out everywhere`,
  })
}

export function createEnableCommand(): Command {
  return createSwitchCommand('enable', {
    disabled: false,
    summary: 'let a user in again who was disabled',
    description: 'Lets a user who was disabled sign in again, with the password and the role of before.',
    done: (name) => `${name} may sign in again`,
  })
}

function createSwitchCommand(
  verb: string,
  about: { disabled: boolean; summary: string; description: string; done: (name: string) => string },
): Command {
  const { disabled, summary, description, done } = about
  const command = new Command(verb)
    .summary(summary)
    .description(description)
    .argument('<name>', 'what the user signs in with')
  return withApiOptions(command).action(async (name: string, options: ApiOptions) => {
    const api = openApi(options)
    const user = await api.findUser(name)
    await api.changeUser(user.id, { disabled })
    if (options.json) printJson({ name: user.name, disabled })
    else print(done(user.name))
  })
}
