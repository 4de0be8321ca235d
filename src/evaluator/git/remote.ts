import { isBranchName } from '../../lib/config/value-kinds.ts'
import { checkSha, git, type GitRun } from './git.ts'
import { GitError } from './git-error.ts'

export interface Head {
  branch: string
  /** The commit the branch is at. */
  head: string
}

/**
 * Asks the remote where `branch` is; null asks for the branch its HEAD names. A GitError tells a repository without
 * commits (`empty_repository`) from one without the branch (`no_branch`).
 */
export async function askHead(remote: string, branch: string | null, run: GitRun): Promise<Head> {
  if (branch !== null && !isBranchName(branch)) throw new GitError('no_branch', run.doing, 'no valid name')
  const wanted = branch === null ? 'HEAD' : `refs/heads/${branch}`
  const { stdout } = await git(['ls-remote', '--symref', '--end-of-options', remote, wanted], run)
  // `refs/x/refs/heads/main` matches too: Git compares the ends of names.
  const lines = stdout.split('\n').map((line) => line.split('\t'))
  const found = lines.filter(([, name]) => name === wanted).map(([value = '']) => value)
  const head = found.find((value) => !value.startsWith('ref: '))
  if (head === undefined) throw await explainAbsence(remote, run)
  const name = branch ?? found.find((value) => value.startsWith('ref: refs/heads/'))?.slice(16)
  if (name === undefined || !isBranchName(name)) {
    throw new GitError(
      'no_branch',
      run.doing,
      "the remote's HEAD names no branch: configure which one to follow",
    )
  }
  return { branch: name, head: checkSha(head) }
}

async function explainAbsence(remote: string, run: GitRun): Promise<GitError> {
  const { stdout } = await git(['ls-remote', '--heads', '--end-of-options', remote], {
    ...run,
    maxOutputBytes: 64 * 2 ** 20,
  })
  return new GitError(stdout === '' ? 'empty_repository' : 'no_branch', run.doing)
}
