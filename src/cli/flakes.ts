import { Command } from 'commander'
import { createAddCommand } from './flakes/add.ts'
import { createListCommand } from './flakes/list.ts'
import { createRemoveCommand } from './flakes/remove.ts'
import { createSyncCommand } from './flakes/sync.ts'

export function createFlakesCommand(): Command {
  return new Command('flakes')
    .description('The Git repositories that say what systems should run: one branch each.')
    .addCommand(createListCommand())
    .addCommand(createAddCommand())
    .addCommand(createRemoveCommand())
    .addCommand(createSyncCommand())
}
