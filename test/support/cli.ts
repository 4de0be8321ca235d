import { join } from 'node:path'
import { runProcess, type ProcessResult } from '../../src/lib/process.ts'

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli')

interface CliOptions {
  cwd: string
  env?: Record<string, string>
  /** `keygen-main` is `cf-keygen`. */
  entry?: 'main' | 'keygen-main'
}

/** Runs the CLI as a process of its own, with nothing of the environment of the tests. */
export function runCli(
  args: string[],
  { cwd, env = {}, entry = 'main' }: CliOptions,
): Promise<ProcessResult> {
  return runProcess(process.execPath, [join(CLI, `${entry}.ts`), ...args], {
    cwd,
    env: { HOME: cwd, PATH: process.env['PATH'], ...env },
    timeoutMs: 30_000,
    maxOutputBytes: 1024 * 1024,
  })
}
