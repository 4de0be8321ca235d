import { Command } from 'commander'
import { createAcknowledgeCommand } from './systems/acknowledge.ts'
import { createAddCommand } from './systems/add.ts'
import { createApproveCommand } from './systems/approve.ts'
import { createArchiveCommand } from './systems/archive.ts'
import { createKeysCommand } from './systems/keys.ts'
import { createListCommand } from './systems/list.ts'
import { createSetCommand } from './systems/set.ts'
import { createShowCommand } from './systems/show.ts'

export function createSystemsCommand(): Command {
  return new Command('systems')
    .description('The machines under watch: what they run, who they are, and their keys.')
    .addCommand(createListCommand())
    .addCommand(createShowCommand())
    .addCommand(createAddCommand())
    .addCommand(createSetCommand())
    .addCommand(createApproveCommand())
    .addCommand(createArchiveCommand())
    .addCommand(createAcknowledgeCommand())
    .addCommand(createKeysCommand())
}
