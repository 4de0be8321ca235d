import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FlakeUrl } from '../../fleet/flake-url.ts'
import { maskSecrets, withCredentials, type Access, type Credentials } from '../credentials.ts'
import type { CommitRecord } from './commit-record.ts'
import { checkSha, git, type GitRun } from './git.ts'
import { asGitError, GitError } from './git-error.ts'
import * as history from './history.ts'
import { askHead, type Head } from './remote.ts'
import { createBeside, objectFormatOf, readObjectFormat, removeLeftovers, takePlace } from './repository.ts'

/**
 * A bare mirror of what was fetched of one flake. Several processes may use one at a time: a fetch writes nothing but
 * objects, which are named by their content, and refs that are named by their commit.
 */
export interface Mirror {
  /**
   * Asks the remote where the branch is (null: the branch of its HEAD), brings the commit and its history when it is new,
   * and keeps it. Makes the mirror when there is none that can be used.
   */
  fetch: (branch: string | null, signal?: AbortSignal) => Promise<Head>
  /** The newest `limit` commits from `head` along first parents, newest first. */
  firstParents: (head: string, limit: number, signal?: AbortSignal) => Promise<CommitRecord[]>
  /** How many commits there are from `head` along first parents. */
  countFirstParents: (head: string, signal?: AbortSignal) => Promise<number>
  /** Where each of `shas` is in the history of `head`; null: not in it. */
  placesOf: (
    shas: readonly string[],
    head: string,
    signal?: AbortSignal,
  ) => Promise<Map<string, history.Place | null>>
  /** Keeps the commit and its history whatever becomes of the branch; resolves with the ref that names it. */
  keep: (sha: string, signal?: AbortSignal) => Promise<string>
}

export interface MirrorOptions {
  /** Absolute; made by the first fetch. Names that start with it and `.new-` or `.old-` are the mirror's too. */
  directory: string
  url: FlakeUrl
  credentials: Credentials
  /** Of each git that is run. */
  timeoutMs: number
}

export const refOf = (sha: string): string => `refs/crystal-forge/${checkSha(sha)}`

/** Every function throws a GitError, which tells whether trying again can help; a malformed commit is a TypeError. */
export function createMirror({ directory, url, credentials, timeoutMs }: MirrorOptions): Mirror {
  /** The commit whose files were read last, or null after damage was seen. */
  let readable: string | null = null

  const reading = (signal?: AbortSignal): GitRun => ({
    doing: `cannot read the mirror of ${url.repository}`,
    timeoutMs,
    signal,
    directory,
  })

  /** What a read finds damaged the next fetch makes anew. */
  async function watchingForDamage<T>(read: Promise<T>): Promise<T> {
    try {
      return await read
    } catch (error) {
      if (isDamage(error)) readable = null
      throw error
    }
  }

  async function fetch(branch: string | null, access: Access, signal?: AbortSignal): Promise<Head> {
    const remote: GitRun = {
      doing: `cannot fetch ${url.repository}`,
      timeoutMs,
      signal,
      cwd: access.home,
      env: { ...access.env, ...(await remoteEnvironment(url.remote, access.home)) },
      mask: (text) => maskSecrets(text, credentials),
    }
    await removeLeftovers(directory, timeoutMs)
    const found = await askHead(url.remote, branch, remote)
    const format = objectFormatOf(found.head)
    if ((await readObjectFormat(directory, reading(signal))) === format) {
      try {
        await bring(found, { ...remote, directory })
        return found
      } catch (error) {
        if (!isDamage(error)) throw error
      }
    }
    await makeAnew(found, remote)
    return found
  }

  /** Beside the old one, which is removed once the new one is complete: the damage may be the remote's. */
  async function makeAnew(found: Head, remote: GitRun): Promise<void> {
    const fresh = await createBeside(directory, objectFormatOf(found.head), remote)
    try {
      await bring(found, { ...remote, directory: fresh })
      await takePlace(fresh, directory)
    } catch (error) {
      if (isDamage(error)) throw new GitError('remote_damaged', remote.doing, error.message, { cause: error })
      throw error
    } finally {
      await rm(fresh, { recursive: true, force: true })
    }
  }

  async function bring({ branch, head }: Head, run: GitRun & { directory: string }): Promise<void> {
    if (!(await isKept(head, run))) {
      // Nothing but objects is written: no ref, so that no other process is in the way.
      const fetchObjects = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance']
      const options = ['--no-recurse-submodules', '--update-shallow', '--end-of-options']
      await git([...fetchObjects, ...options, url.remote, `refs/heads/${branch}`], run)
      if (!(await history.hasCommit(head, run))) throw new GitError('moved', run.doing)
      await keep(head, run)
      readable = null
    }
    if (readable === head) return
    await readEverything(head, run)
    readable = head
    await git(['gc', '--auto', '--quiet'], run)
  }

  async function keep(sha: string, run: GitRun): Promise<string> {
    const ref = refOf(sha)
    if (await isKept(sha, run)) return ref
    await history.expectCommit(sha, run)
    await updateRef([ref, sha], run)
    return ref
  }

  /** Once more after the lock file of a process that was killed is removed. */
  async function updateRef(args: string[], run: GitRun): Promise<void> {
    try {
      await git(['update-ref', ...args], run)
    } catch (error) {
      if (!(error instanceof GitError && error.kind === 'locked')) throw error
      await removeLeftovers(run.directory ?? directory, timeoutMs)
      await git(['update-ref', ...args], run)
    }
  }

  return {
    fetch: (branch, signal) =>
      withCredentials(credentials, (access) => fetch(branch, access, signal)).catch((error: unknown) => {
        throw asGitError(error, `cannot fetch ${url.repository}`)
      }),
    firstParents: (head, limit, signal) =>
      watchingForDamage(history.firstParents(head, limit, reading(signal))),
    countFirstParents: (head, signal) => watchingForDamage(history.countFirstParents(head, reading(signal))),
    placesOf: (shas, head, signal) => watchingForDamage(history.placesOf(shas, head, reading(signal))),
    keep: (sha, signal) => watchingForDamage(keep(sha, reading(signal))),
  }
}

function isDamage(error: unknown): error is GitError {
  return error instanceof GitError && error.kind === 'damaged'
}

/** A ref is written only when everything below its commit is there. */
async function isKept(sha: string, run: GitRun): Promise<boolean> {
  const { stdout } = await git(['cat-file', '--batch-check'], { ...run, input: `${refOf(sha)}\n` })
  return stdout.startsWith(`${sha} commit `)
}

/**
 * Sees damage before Nix does: walks the history, and reads every file of the commit by looking for a line that none of
 * them has. (`git archive` reads them too, but does what their attributes say; `git fsck` reads those of all commits.)
 */
async function readEverything(sha: string, run: GitRun): Promise<void> {
  await git(['rev-list', '--count', sha], run)
  const search = ['--quiet', '--no-textconv', '--text', '--fixed-strings', '-e', sha.repeat(2)]
  const { stderr } = await git(['grep', ...search, sha], { ...run, answers: [1] })
  // A file that cannot be read does not change the exit status.
  if (/^(error|fatal):/m.test(stderr)) throw new GitError('damaged', run.doing, stderr)
}

/**
 * Only the protocol of the address is spoken, also after a redirection. A local repository may belong to another user: it
 * was configured, and Git runs nothing of it. It hears that only from a file (git-config(1), safe.directory).
 */
async function remoteEnvironment(remote: string, home: string): Promise<Record<string, string>> {
  if (remote.startsWith('/')) {
    const file = join(home, 'gitconfig')
    await writeFile(file, '[safe]\n\tdirectory = *\n', { mode: 0o600 })
    return { GIT_ALLOW_PROTOCOL: 'file', GIT_CONFIG_GLOBAL: file }
  }
  const scheme = /^(https?|ssh):/.exec(remote)?.[1] ?? 'ssh'
  return { GIT_ALLOW_PROTOCOL: scheme === 'http' ? 'http:https' : scheme }
}
