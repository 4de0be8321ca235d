import { Command } from 'commander'
import { VERSION } from '../lib/version.ts'
import { COMMANDS } from './commands.ts'

/** The whole command line. Only the commands that are needed are loaded; the others are listed and do nothing. */
export async function createProgram(isNeeded: (name: string) => boolean): Promise<Command> {
  const program = new Command('crystal-forge')
    .description('Proves what the machines of a NixOS fleet run.')
    .version(VERSION)
    // options of this level come before the command: what stands behind it is the command's, also `-Vx…`
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 wrong usage, 3 found what was asked to be reported.',
    )
  for (const { name, summary, load } of COMMANDS)
    program.addCommand(
      isNeeded(name) ? await load() : new Command(name).summary(summary).description(summary),
    )
  return program
}
