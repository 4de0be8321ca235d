import type { Readable } from 'node:stream'
import { startProcess, type ProcessEnd, type StartOptions } from './process-group.ts'
import { collectHead, collectTail } from './process-output.ts'

export interface ProcessOptions extends StartOptions {
  timeoutMs: number
  /** Of stdout, which ends the process when it writes more; of stderr the last bytes are kept. */
  maxOutputBytes: number
  signal?: AbortSignal
  /** Takes stdout as it comes, however much it is; then the result's is empty. */
  onStdout?: (chunk: Buffer) => void
}

type StopReason = 'timeout' | 'abort' | 'output-limit'

export interface ProcessResult extends ProcessEnd<StopReason> {
  stdout: string
  stderr: string
}

/**
 * Runs a program without a shell, in a process group of its own, and resolves when it has ended and its output is
 * closed. On time-out, abort or too much output the whole group gets SIGTERM, then SIGKILL; groups that still run
 * when this process exits get SIGKILL. Rejects only when the program cannot be started.
 */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  if (options.signal?.aborted) return { ended: 'abort', code: null, signal: null, stdout: '', stderr: '' }
  const group = startProcess<StopReason>(command, args, options)
  const stdout =
    options.onStdout === undefined
      ? collectHead(group.stdout, options.maxOutputBytes, () => group.stop('output-limit'))
      : passOn(group.stdout, options.onStdout)
  const stderr = collectTail(group.stderr, options.maxOutputBytes)
  const timer = setTimeout(() => group.stop('timeout'), options.timeoutMs)
  const onAbort = (): void => group.stop('abort')
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const end = await group.end
    return { ...end, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
  }
}

function passOn(stream: Readable, take: (chunk: Buffer) => void): () => string {
  stream.on('data', take)
  return () => ''
}
