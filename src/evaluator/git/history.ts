import { parseCommits, type CommitRecord } from './commit-record.ts'
import { checkSha, git, LONG_OUTPUT, type GitRun } from './git.ts'
import { GitError } from './git-error.ts'

/** Whether the repository has the commit. */
export async function hasCommit(sha: string, run: GitRun): Promise<boolean> {
  const { stdout } = await git(['cat-file', '--batch-check'], { ...run, input: `${checkSha(sha)}\n` })
  return stdout.startsWith(`${sha} commit `)
}

/** The newest `limit` commits from `head` along first parents, newest first. */
export async function firstParents(head: string, limit: number, run: GitRun): Promise<CommitRecord[]> {
  await expectCommit(head, run)
  const { stdout } = await git(
    ['rev-list', '--header', '--first-parent', '--encoding=UTF-8', `--max-count=${limit}`, head],
    { ...run, maxOutputBytes: LONG_OUTPUT },
  )
  return parseCommits(stdout)
}

/** How many commits there are from `head` along first parents to the root. */
export async function countFirstParents(head: string, run: GitRun): Promise<number> {
  await expectCommit(head, run)
  const { stdout } = await git(['rev-list', '--count', '--first-parent', head], run)
  return Number(stdout)
}

/** Whether `sha` is `head` or one of its ancestors; false for a commit that is not there. */
export async function isAncestor(sha: string, head: string, run: GitRun): Promise<boolean> {
  await expectCommit(head, run)
  if (!(await hasCommit(sha, run))) return false
  const { code } = await git(['merge-base', '--is-ancestor', sha, head], { ...run, answers: [0, 1] })
  return code === 0
}

/**
 * The position of the first-parent commit of `head` that brought `sha` in, counted from the root, which is 0; null when
 * `sha` is no ancestor. Reads the history once, not once a commit.
 */
export async function positionOf(sha: string, head: string, run: GitRun): Promise<number | null> {
  await expectCommit(head, run)
  if (!(await hasCommit(sha, run))) return null
  const list = async (args: string[]): Promise<string[]> => {
    const { stdout } = await git(['rev-list', ...args], { ...run, maxOutputBytes: LONG_OUTPUT })
    return stdout.split('\n').slice(0, -1)
  }
  const fromRoot = (await list(['--first-parent', head])).toReversed()
  const own = fromRoot.indexOf(sha)
  if (own !== -1) return own
  const descendants = new Set(await list(['--ancestry-path', head, `^${sha}`]))
  const position = fromRoot.findIndex((each) => descendants.has(each))
  return position === -1 ? null : position
}

export async function expectCommit(sha: string, run: GitRun): Promise<void> {
  if (!(await hasCommit(sha, run))) throw new GitError('unknown_commit', run.doing, sha)
}
