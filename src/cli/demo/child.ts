import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { once } from 'node:events'

/** A process of the demo, in a process group of its own, so that Ctrl-C reaches only the demo, which stops it in order. */
export interface Child {
  /** SIGTERM, and resolves when it has ended. Throws when it ended with a failure. */
  stop: () => Promise<void>
  /** SIGKILL, as a crash. */
  kill: () => Promise<void>
  /** Rejects when the process ends without having been asked to. */
  failure: Promise<never>
}

/** Runs `crystal-forge ARGS` with this configuration file; its log goes to `logFile`. `program` is the CLI's main file. */
export function startChild(options: {
  program: string
  args: readonly string[]
  configPath: string
  logFile: string
}): Child {
  const { program, args, configPath, logFile } = options
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], CONFIG_PATH: configPath },
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  let asked = false
  const ended = once(child, 'exit').then(() => describeEnd(child))
  const failure = ended.then((how) => {
    if (asked) return new Promise<never>(() => {})
    const last = readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1) ?? ''
    throw new Error(`crystal-forge ${args.join(' ')} ended by itself (${how}): ${last}`)
  })
  // whoever waits for something else races with this; alone it is no unhandled rejection
  failure.catch(() => {})
  const end = async (signal: NodeJS.Signals): Promise<string> => {
    asked = true
    child.kill(signal)
    return ended
  }
  return {
    stop: async () => {
      const how = await end('SIGTERM')
      if (how !== 'status 0') throw new Error(`crystal-forge ${args.join(' ')} did not stop cleanly: ${how}`)
    },
    kill: async () => {
      await end('SIGKILL')
    },
    failure,
  }
}

function describeEnd(child: ChildProcess): string {
  return child.signalCode ?? `status ${child.exitCode}`
}
