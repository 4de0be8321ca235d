import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryDirectory } from './temporary-directory.ts'

export interface TestRepository {
  /** Absolute path of its work tree. */
  path: string
  /** `git+file://…`, as a flake's address. */
  url: string
  /** Writes these files (null removes one), and commits on the branch that is checked out; resolves with the commit. */
  commit: (files: Readonly<Record<string, string | null>>, subject?: string) => Promise<string>
  /** Runs git in it; resolves with what it prints, trimmed. */
  git: (...args: string[]) => Promise<string>
}

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A U Thor',
  GIT_AUTHOR_EMAIL: 'author@example.org',
  GIT_COMMITTER_NAME: 'C O Mitter',
  GIT_COMMITTER_EMAIL: 'committer@example.org',
}

/** A Git repository with the branch `main` and no commit yet; gone when the test is over. */
export async function createTestRepository(
  objectFormat: 'sha1' | 'sha256' = 'sha1',
): Promise<TestRepository> {
  const path = join(await temporaryDirectory(), 'repository')
  await mkdir(path)
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('git', args, { cwd: path, env: ENVIRONMENT })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main', `--object-format=${objectFormat}`)
  return {
    path,
    url: `git+file://${path}`,
    git,
    commit: async (files, subject = 'change') => {
      for (const [name, content] of Object.entries(files)) {
        const file = join(path, name)
        await mkdir(dirname(file), { recursive: true })
        await (content === null ? rm(file) : writeFile(file, content))
      }
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '--message', subject)
      return git('rev-parse', 'HEAD')
    },
  }
}

/** Adds `count` commits to the branch `main`, in one go, with the subjects `commit 1` and so on. */
export async function importCommits(repository: TestRepository, count: number): Promise<void> {
  const commits = Array.from({ length: count }, (_, index) => {
    const subject = `commit ${index + 1}`
    const date = `committer C O Mitter <committer@example.org> ${1_700_000_000 + index} +0000`
    return `commit refs/heads/main\n${date}\ndata ${subject.length}\n${subject}\nM 100644 inline file\ndata ${subject.length}\n${subject}\n`
  })
  await feedGit(repository, ['fast-import', '--quiet'], commits.join(''))
}

/** Writes an object as it is, however odd, and resolves with its name. */
export async function writeObject(
  repository: TestRepository,
  type: 'commit' | 'tree' | 'blob',
  content: string | Buffer,
): Promise<string> {
  return feedGit(repository, ['hash-object', '-t', type, '-w', '--literally', '--stdin'], content)
}

async function feedGit(
  repository: TestRepository,
  args: readonly string[],
  input: string | Buffer,
): Promise<string> {
  const run = promisify(execFile)('git', args, { cwd: repository.path, env: ENVIRONMENT })
  run.child.stdin?.end(input)
  return (await run).stdout.trim()
}
