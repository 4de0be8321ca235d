import { createCommitReader, type CommitRecord } from './commit-record.ts'
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
  const reader = createCommitReader()
  const args = ['--header', '--first-parent', '--encoding=UTF-8', `--max-count=${limit}`, head]
  await git(['rev-list', ...args], { ...run, onStdout: reader.add })
  return reader.records
}

/** How many commits there are from `head` along first parents to the root. */
export async function countFirstParents(head: string, run: GitRun): Promise<number> {
  await expectCommit(head, run)
  const { stdout } = await git(['rev-list', '--count', '--first-parent', head], run)
  return Number(stdout)
}

/** Where a commit is in the history of a head. */
export interface Place {
  /** Of the first-parent commit that brought it in, counted from the root, which is 0. */
  position: number
  /** Whether that is the commit itself. */
  mainline: boolean
}

/** The places of `shas` in the history of `head`, null for what is not in it. Reads it once, however many they are. */
export async function placesOf(
  shas: readonly string[],
  head: string,
  run: GitRun,
): Promise<Map<string, Place | null>> {
  await expectCommit(head, run)
  const wanted = shas.map(checkSha)
  const mainline = (await listRevisions(['--first-parent', head], run)).toReversed()
  const positions = new Map(mainline.map((sha, position) => [sha, position]))
  if (wanted.some((sha) => !positions.has(sha))) addMerged(positions, mainline, await readParents(head, run))
  const placeOf = (sha: string): Place | null => {
    const position = positions.get(sha)
    return position === undefined ? null : { position, mainline: mainline[position] === sha }
  }
  return new Map(wanted.map((sha) => [sha, placeOf(sha)]))
}

/** From the root on, so that a commit belongs to the first that has it. */
function addMerged(
  positions: Map<string, number>,
  mainline: readonly string[],
  parents: ReadonlyMap<string, readonly string[]>,
): void {
  for (const [position, sha] of mainline.entries()) {
    const open = (parents.get(sha) ?? []).slice(1)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (positions.has(next)) continue
      positions.set(next, position)
      open.push(...(parents.get(next) ?? []))
    }
  }
}

async function readParents(head: string, run: GitRun): Promise<Map<string, string[]>> {
  const lines = await listRevisions(['--parents', head], run)
  return new Map(
    lines.map((line) => {
      const [sha = '', ...parents] = line.split(' ')
      return [sha, parents]
    }),
  )
}

async function listRevisions(args: string[], run: GitRun): Promise<string[]> {
  const { stdout } = await git(['rev-list', ...args], { ...run, maxOutputBytes: LONG_OUTPUT })
  return stdout.split('\n').slice(0, -1)
}

export async function expectCommit(sha: string, run: GitRun): Promise<void> {
  if (!(await hasCommit(sha, run))) throw new GitError('unknown_commit', run.doing, sha)
}
