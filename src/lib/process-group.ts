import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

/** A process that does not end on SIGTERM is killed after this long. */
const TERMINATION_MS = 2000

export interface StartOptions {
  /** The whole environment: nothing of ours is passed on by itself. */
  env: Readonly<Record<string, string | undefined>>
  cwd?: string
  uid?: number
  gid?: number
  input?: string | Uint8Array
}

export interface ProcessEnd<Reason extends string> {
  /** What ended it: by itself, or the reason of the first `stop`. */
  ended: 'exit' | Reason
  /** The exit status, null unless it ended by itself and not by a signal. */
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running program with everything it starts. Both outputs have to be read, or it stops when they are full. */
export interface ProcessGroup<Reason extends string> {
  /** Undefined when the program could not be started. */
  pid: number | undefined
  stdout: Readable
  stderr: Readable
  /** The whole group gets SIGTERM, then SIGKILL. Only the first call counts. */
  stop: (reason: Reason) => void
  /** Resolves when it has ended and its outputs are closed; rejects only when it cannot be started. */
  end: Promise<ProcessEnd<Reason>>
}

const running = new Set<ChildProcess>()

/**
 * Starts a program without a shell, in a process group of its own. Groups that still run when this process exits get
 * SIGKILL.
 */
export function startProcess<Reason extends string>(
  command: string,
  args: readonly string[],
  options: StartOptions,
): ProcessGroup<Reason> {
  const child = spawn(command, args, {
    env: { ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  })
  let ended: 'exit' | Reason = 'exit'
  let killTimer: NodeJS.Timeout | undefined
  const end = new Promise<ProcessEnd<Reason>>((resolve, reject) => {
    const release = (): void => {
      clearTimeout(killTimer)
      forget(child)
    }
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      release()
      reject(new Error(`cannot start ${command}`, { cause: error }))
    })
    // Members of the group can outlive its leader and hold the output open: what was stopped is stopped as a whole.
    child.once('exit', () => {
      if (ended !== 'exit') signalGroup(child, 'SIGKILL')
    })
    child.once('close', (code, signal) => {
      if (child.pid === undefined) return
      release()
      resolve({ ended, code: ended === 'exit' ? code : null, signal })
    })
  })
  remember(child)
  // A program that does not read its input closes the pipe first; its exit status tells what that means.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    stop: (reason) => {
      if (ended !== 'exit') return
      ended = reason
      signalGroup(child, 'SIGTERM')
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), TERMINATION_MS)
    },
    end,
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: every member has ended.
  }
}

function remember(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', killRunning)
  running.add(child)
}

function forget(child: ChildProcess): void {
  running.delete(child)
  if (running.size === 0) process.off('exit', killRunning)
}

function killRunning(): void {
  for (const child of running) signalGroup(child, 'SIGKILL')
}
