import { runProcess } from '../../lib/process.ts'
import type { Environment } from './environment.ts'
import { NixError } from './nix-error.ts'
import { nixCommand } from './memory.ts'
import { nixError, timeoutError } from './nix-failure.ts'
import type { Programs } from './programs.ts'

/** flake.lock of a flake with thousands of inputs; the names of ten thousand configurations. */
const MAX_OUTPUT_BYTES = 16 * 2 ** 20

export interface RunOptions {
  /** What the errors say failed. */
  action: string
  env: Environment
  timeoutMs: number
  signal: AbortSignal
  /** What it may have resident; without it as much as it likes. */
  memoryBytes?: number
}

/** Runs Nix and gives its standard output. Throws as `tryNix`, and when it fails. */
export async function runNix(
  programs: Programs,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { isSuccess, stdout, stderr } = await tryNix(programs, args, options)
  if (!isSuccess) throw nixError(options.action, stderr)
  return stdout
}

/**
 * Throws a NixError when the program cannot be started, or had to be stopped, and the signal's reason when that is
 * aborted.
 */
export async function tryNix(
  programs: Programs,
  args: readonly string[],
  { action, env, timeoutMs, signal, memoryBytes }: RunOptions,
): Promise<{ isSuccess: boolean; stdout: string; stderr: string }> {
  const command = [...nixCommand(programs, memoryBytes ?? null), ...args]
  const options = { env, timeoutMs, signal, maxOutputBytes: MAX_OUTPUT_BYTES }
  const { ended, code, stdout, stderr } = await runProcess(programs.setpriv, command, options).catch(
    (error: unknown) => {
      throw new NixError('nix_missing', `${action} failed`, { cause: error })
    },
  )
  signal.throwIfAborted()
  if (ended === 'timeout') throw timeoutError(action, timeoutMs)
  if (ended === 'output-limit') throw new NixError('flake_invalid', `${action} failed: it printed too much`)
  return { isSuccess: code === 0, stdout, stderr }
}
