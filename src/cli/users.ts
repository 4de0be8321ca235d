import { Command } from 'commander'
import { createAddCommand } from './users/add.ts'
import { createDisableCommand, createEnableCommand, createSetRoleCommand } from './users/change.ts'
import { createListCommand } from './users/list.ts'
import { createPasswordLinkCommand } from './users/password-link.ts'
import { createRemoveCommand } from './users/remove.ts'
import { createSetUpLinkCommand } from './users/set-up-link.ts'

export function createUsersCommand(): Command {
  return new Command('users')
    .description(
      'The people who sign in to the dashboard. A viewer reads, an operator also changes systems, flakes and enrolment ' +
        'tokens, an admin also users and API tokens.',
    )
    .addCommand(createListCommand())
    .addCommand(createAddCommand())
    .addCommand(createSetRoleCommand())
    .addCommand(createDisableCommand())
    .addCommand(createEnableCommand())
    .addCommand(createRemoveCommand())
    .addCommand(createPasswordLinkCommand())
    .addCommand(createSetUpLinkCommand())
}
