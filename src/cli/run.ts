import { CommanderError, type Command } from 'commander'
import { explainError } from '../lib/errors.ts'
import { EXIT, UsageError } from './exit.ts'
import { escapeControls } from './output.ts'

/**
 * Runs a command line (without the program's own name and path) and resolves with the exit status. Errors are printed
 * on stderr, without a stack unless they come from a mistake in this program.
 */
export async function runCommand(program: Command, args: readonly string[]): Promise<number> {
  prepare(program)
  quietWhenReaderLeaves()
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? EXIT.done)
  } catch (error) {
    return report(program.name(), error)
  }
}

/** Prints the error and returns the exit status it stands for. */
export function report(programName: string, error: unknown): number {
  if (error instanceof CommanderError) return statusOf(error)
  const lines = explainError(error).split('\n').map(escapeControls).join('\n')
  process.stderr.write(`${programName}: ${lines}\n`)
  if (isMistake(error)) process.stderr.write(`${error.stack ?? ''}\n`)
  return error instanceof UsageError ? EXIT.usage : EXIT.failed
}

/** Commander has printed what there is to say; its own status for wrong usage is 1. */
function statusOf(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.done : EXIT.usage
}

/** fetch(3) rejects with a TypeError too, but with a cause. */
function isMistake(error: unknown): error is Error {
  return (error instanceof TypeError && error.cause === undefined) || error instanceof ReferenceError
}

/** Errors are thrown instead of ending the process, in subcommands too: Commander does not hand this down. */
function prepare(command: Command): void {
  command.exitOverride()
  command.configureOutput({
    outputError: (text, write) => write(`${rootName(command)}: ${oneLine(text)}\n`),
  })
  for (const subcommand of command.commands) prepare(subcommand)
}

function rootName(command: Command): string {
  return command.parent === null ? command.name() : rootName(command.parent)
}

const oneLine = (text: string): string =>
  escapeControls(
    text
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' '),
  )

/** `crystal-forge … | head` closes our output early; that is no failure. */
function quietWhenReaderLeaves(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done)
    throw error
  })
}
