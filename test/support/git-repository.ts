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
export async function createTestRepository(): Promise<TestRepository> {
  const path = join(await temporaryDirectory(), 'repository')
  await mkdir(path)
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('git', args, { cwd: path, env: ENVIRONMENT })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
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
