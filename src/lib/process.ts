import { spawn, type ChildProcess } from 'node:child_process'
import { collectHead, collectTail } from './process-output.ts'

/** A process that does not end on SIGTERM is killed after this long. */
const TERMINATION_MS = 2000

export interface ProcessOptions {
  /** The whole environment: nothing of ours is passed on by itself. */
  env: Readonly<Record<string, string | undefined>>
  cwd?: string
  timeoutMs: number
  /** Of stdout, which ends the process when it writes more; of stderr the last bytes are kept. */
  maxOutputBytes: number
  uid?: number
  gid?: number
  input?: string | Uint8Array
  signal?: AbortSignal
}

export interface ProcessResult {
  /** What ended it: by itself, or stopped by us. */
  ended: 'exit' | 'timeout' | 'abort' | 'output-limit'
  /** The exit status, null unless it ended by itself and not by a signal. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const running = new Set<ChildProcess>()

/**
 * Runs a program without a shell, in a process group of its own, and resolves when it has ended and its output is
 * closed. On time-out, abort or too much output the whole group gets SIGTERM, then SIGKILL; groups that still run
 * when this process exits get SIGKILL. Rejects only when the program cannot be started.
 */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      resolve({ ended: 'abort', code: null, signal: null, stdout: '', stderr: '' })
      return
    }
    const child = spawn(command, args, {
      env: { ...options.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    })
    let ended: ProcessResult['ended'] = 'exit'
    let killTimer: NodeJS.Timeout | undefined
    const stop = (reason: ProcessResult['ended']): void => {
      if (ended !== 'exit') return
      ended = reason
      signalGroup(child, 'SIGTERM')
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), TERMINATION_MS)
    }
    const stdout = collectHead(child.stdout, options.maxOutputBytes, () => stop('output-limit'))
    const stderr = collectTail(child.stderr, options.maxOutputBytes)
    const timer = setTimeout(() => stop('timeout'), options.timeoutMs)
    const onAbort = (): void => stop('abort')
    options.signal?.addEventListener('abort', onAbort, { once: true })
    const release = (): void => {
      clearTimeout(timer)
      clearTimeout(killTimer)
      options.signal?.removeEventListener('abort', onAbort)
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
      resolve({ ended, code: ended === 'exit' ? code : null, signal, stdout: stdout(), stderr: stderr() })
    })
    remember(child)
    // A program that does not read its input closes the pipe first; its exit status tells what that means.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input)
  })
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
