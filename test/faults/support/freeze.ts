import { readFile } from 'node:fs/promises'
import { onTestFinished } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import type { ConfiguredPostgres } from './configured-postgres.ts'
import { WAIT_MS } from './rounds.ts'

/**
 * Stops every process of a PostgreSQL, as when its machine is gone: connections stay, and nothing answers. Resolves with what
 * kills them, which happens in any case when the test is over.
 */
export async function freeze({ data }: ConfiguredPostgres): Promise<() => Promise<void>> {
  const postmaster = Number.parseInt(await readFile(`${data}/postmaster.pid`, 'utf8'), 10)
  // first, so that it starts no others
  process.kill(postmaster, 'SIGSTOP')
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')
  const pids = [postmaster, ...children.trim().split(' ').map(Number)]
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  let isKilled = false
  const kill = async (): Promise<void> => {
    if (isKilled) return
    isKilled = true
    for (const pid of pids.toReversed()) process.kill(pid, 'SIGKILL')
    await waitFor(async () => (await Promise.all(pids.map(isGone))).every(Boolean), {
      timeoutMs: WAIT_MS,
      what: 'PostgreSQL to be gone',
    })
  }
  onTestFinished(kill)
  return kill
}

/** A process whose parent has not asked for its status counts as gone. */
async function isGone(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '0 (gone) Z')
  return /\) [ZX]/.test(status)
}
