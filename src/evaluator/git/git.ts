import { runProcess, type ProcessResult } from '../../lib/process.ts'
import { gitEnvironment } from './environment.ts'
import { GitError, problemIn } from './git-error.ts'

/** 256 MiB: a list of three million commits with their parents. */
export const LONG_OUTPUT = 256 * 2 ** 20

const SHORT_OUTPUT = 2 ** 20

const SETTINGS = [
  // What is fetched stays after a power cut.
  'core.fsync=all',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  // A server that sends less than this for so many seconds is away.
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  // One synced file a fetch instead of one an object.
  'fetch.unpackLimit=1',
  // In the background it would outlive its time limit.
  'gc.autoDetach=false',
  'core.filesRefLockTimeout=5000',
  'core.packedRefsTimeout=5000',
]

export interface GitRun {
  /** For the error: "cannot …". */
  doing: string
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** The repository (`--git-dir`); none for questions to a remote. */
  directory?: string
  cwd?: string
  /** Beside what every git gets. */
  env?: Readonly<Record<string, string>>
  input?: string
  /** 1 MiB unless said otherwise. */
  maxOutputBytes?: number
  /** Takes stdout as it comes, however much it is; the answer's is empty then. */
  onStdout?: (chunk: Buffer) => void
  /** Exit statuses that are answers. */
  answers?: readonly number[]
  /** Takes secrets out of what git said. */
  mask?: (text: string) => string
}

/** The exit status, and what was written; some commands go on after an error, and tell it only there. */
export interface GitAnswer {
  code: number
  stdout: string
  stderr: string
}

/**
 * The only door to Git: `args` are a command of Git and its arguments; values of others stand after `--end-of-options`
 * or are of a checked form. Throws a GitError when the exit status is not one of `answers`.
 */
export async function git(args: readonly string[], run: GitRun): Promise<GitAnswer> {
  const { doing, answers = [0], mask = (text) => text } = run
  const result = await start(args, run)
  const detail = mask(result.stderr)
  if (result.ended === 'timeout') throw new GitError('timeout', doing, detail)
  if (result.ended === 'abort') throw new GitError('aborted', doing)
  if (result.ended === 'output-limit') throw new GitError('too_large', doing, detail)
  if (result.code === null) throw new GitError('failed', doing, `git was ended by ${result.signal}`)
  if (!answers.includes(result.code)) throw new GitError(problemIn(result.stderr), doing, detail)
  return { code: result.code, stdout: result.stdout, stderr: detail }
}

async function start(args: readonly string[], run: GitRun): Promise<ProcessResult> {
  const directory = run.directory === undefined ? [] : [`--git-dir=${run.directory}`]
  const settings = SETTINGS.flatMap((setting) => ['-c', setting])
  try {
    return await runProcess('git', [...directory, ...settings, ...args], {
      env: { ...gitEnvironment(), ...run.env },
      cwd: run.cwd ?? '/',
      timeoutMs: run.timeoutMs,
      maxOutputBytes: run.maxOutputBytes ?? SHORT_OUTPUT,
      ...(run.signal === undefined ? {} : { signal: run.signal }),
      ...(run.input === undefined ? {} : { input: run.input }),
      ...(run.onStdout === undefined ? {} : { onStdout: run.onStdout }),
    })
  } catch (error) {
    throw new GitError('not_installed', run.doing, '', { cause: error })
  }
}

/** A full name of a commit. Throws a TypeError for anything else: it comes from outside, and stands in arguments. */
export function checkSha(text: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) {
    throw new TypeError('a commit must be named by 40 or 64 lower-case hexadecimal digits')
  }
  return text
}
