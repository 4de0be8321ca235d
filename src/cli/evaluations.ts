import { Command } from 'commander'
import { createListCommand } from './evaluations/list.ts'
import { createRetryCommand } from './evaluations/retry.ts'
import { createShowCommand } from './evaluations/show.ts'

export function createEvaluationsCommand(): Command {
  return new Command('evaluations')
    .description('What each configuration evaluates to at each commit, or why it does not.')
    .addCommand(createListCommand())
    .addCommand(createShowCommand())
    .addCommand(createRetryCommand())
}
