import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface LogLine {
  level: string
  msg: string
  [member: string]: unknown
}

/** A process of Crystal Forge that a test started. */
export interface RunningProcess {
  pid: number
  /** What it has logged, without the beginning when that is long. */
  lines: LogLine[]
  isRunning: () => boolean
  /** The first line with this message; rejects when the process ends before. */
  logged: (message: string) => Promise<LogLine>
  /** Sends a signal, and resolves with how the process ended: `status 0`, `SIGKILL`. */
  end: (signal: NodeJS.Signals) => Promise<string>
}

export interface ProcessOptions {
  /** Default: `crystal-forge`. */
  program?: string
  args: readonly string[]
  /** Of the configuration. */
  configPath: string
  nodeArgs?: readonly string[]
  env?: Readonly<Record<string, string>>
}

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const MAX_LINES = 2000

/** Runs `crystal-forge ARGS` from the checkout, directly under this process, so that its id is the one to kill. */
export function startProcess(options: ProcessOptions): RunningProcess {
  const { program = MAIN, args, configPath, nodeArgs = [], env = {} } = options
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', CONFIG_PATH: configPath, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start crystal-forge ${args.join(' ')}`)
  const lines: LogLine[] = []
  const waiting = new Map<string, PromiseWithResolvers<LogLine>>()
  readLines(child.stderr, (text) => {
    const line = parseLine(text)
    lines.push(line)
    if (lines.length > MAX_LINES) lines.shift()
    waiting.get(line.msg)?.resolve(line)
  })
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const ended = once(child, 'close').then(() => {
    const how = child.signalCode ?? `status ${child.exitCode}`
    const error = new Error(`crystal-forge ${args.join(' ')} ended (${how}): ${lines.at(-1)?.msg ?? ''}`)
    for (const each of waiting.values()) each.reject(error)
    return how
  })
  return {
    pid,
    lines,
    isRunning,
    logged: async (message) => {
      const earlier = lines.find(({ msg }) => msg === message)
      if (earlier !== undefined) return earlier
      if (!isRunning()) throw new Error(`crystal-forge ${args.join(' ')} ended without saying "${message}"`)
      const line = waiting.get(message) ?? Promise.withResolvers<LogLine>()
      waiting.set(message, line)
      return await line.promise
    },
    end: async (signal) => {
      child.kill(signal)
      return await ended
    },
  }
}

/** Ended by `\n` alone: readline ends lines at U+2028 and U+2029 too, which a line of the log can quote. */
function readLines(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  stream.on('end', () => {
    if (rest !== '') take(rest)
  })
}

/** What is no line of the log (a stack trace of Node) counts as one that says so. */
function parseLine(text: string): LogLine {
  try {
    const line: LogLine = JSON.parse(text)
    return line
  } catch {
    return { level: 'text', msg: text }
  }
}
