#!/usr/bin/env node
import { Command } from 'commander'
import { VERSION } from '../lib/version.ts'
import { COMMANDS } from './commands.ts'
import { runCommand } from './run.ts'

const args = process.argv.slice(2)
const program = new Command('crystal-forge')
  .description('Proves what the machines of a NixOS fleet run.')
  .version(VERSION)
  // options of this level come before the command: what stands behind it is the command's, also `-Vx…`
  .enablePositionalOptions()
  .addHelpText(
    'after',
    '\nExit status: 0 done, 1 failed, 2 wrong usage, 3 found what was asked to be reported.',
  )

// `help NAME` and `NAME …` need that one command; the others are only listed.
const wanted = args[0] === 'help' ? args[1] : args[0]
for (const { name, summary, load } of COMMANDS) {
  program.addCommand(name === wanted ? await load() : new Command(name).summary(summary).description(summary))
}
process.exitCode = await runCommand(program, args)
