import { writeSync } from 'node:fs'
import { describeError } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'

/** What the agent needs of a logger; pino's has it too. */
export type AgentLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

type Write = (line: string) => void

/**
 * The lines of lib/log.ts, JSON on stderr with the chain of causes in `err`, without pino: of the 60 MB that an agent takes
 * pino would be one and a half (bench/README.md).
 */
export function createLineLogger(write: Write = writeToStderr): AgentLogger {
  const at =
    (level: string) =>
    (first: unknown, message?: unknown): void => {
      const members = typeof first === 'string' ? { msg: first } : { ...describeMembers(first), msg: message }
      write(`${JSON.stringify({ level, time: new Date().toISOString(), ...members })}\n`)
    }
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

function describeMembers(members: unknown): object {
  if (typeof members !== 'object' || members === null) return {}
  return 'err' in members ? { ...members, err: describeError(members.err) } : members
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // Closed, or full and not blocking: there is no other place to say so.
  }
}
