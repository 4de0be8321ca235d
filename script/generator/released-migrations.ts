import { runProcess } from '../../src/lib/process.ts'

/**
 * Throws when a migration that the newest release has is changed or gone: databases have it already, and would never
 * get the change. Nothing to check without release tags (v*).
 */
export async function checkReleasedMigrations(): Promise<void> {
  const tag = (await git('describe', '--tags', '--abbrev=0', '--match=v*')) ?? ''
  if (tag === '') return
  const changes = await git('diff', '--name-status', '--no-renames', tag, '--', 'migrations/[0-9]*.sql')
  if (changes === null) throw new Error(`cannot compare migrations/ with ${tag}`)
  const changed = changes.split('\n').filter((line) => line !== '' && !line.startsWith('A'))
  if (changed.length > 0) {
    throw new Error(
      `these migrations are part of ${tag}; add a new one instead of changing them:\n${changed.join('\n')}`,
    )
  }
}

/** What git prints, or null when it fails. */
async function git(...args: string[]): Promise<string | null> {
  const { code, stdout } = await runProcess('git', args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    timeoutMs: 30_000,
    maxOutputBytes: 1_000_000,
  })
  return code === 0 ? stdout.trim() : null
}
