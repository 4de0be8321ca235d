import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'

// Something of many files is made under a name that tells who makes it, and gets its own name when it is complete.
// What a killed process left half-made is found by that name and removed.

const NAME = /^\.making-(\d+)-(\d+)-[0-9a-f]+$/

/** A new empty directory below `parent` with these permission bits; removes there what dead processes left. */
export async function createScratchDirectory(parent: string, mode: number): Promise<string> {
  await removeAbandoned(parent)
  const startedAt = await processStart(process.pid)
  const path = join(parent, `.making-${process.pid}-${startedAt}-${randomBytes(4).toString('hex')}`)
  await mkdir(path, { mode })
  return path
}

/** Gives a complete directory its name. One that is there stays: another process was faster. */
export async function renameUnlessTaken(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error
  }
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid, startedAt] = NAME.exec(name) ?? []
    if (pid === undefined || startedAt === undefined) continue
    if ((await processStart(Number(pid))) === Number(startedAt)) continue
    // again and again: what the dead one had started, such as initdb, may still be writing
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

/** When a process started, in clock ticks since boot (proc_pid_stat(5), field 22); null when there is none. */
async function processStart(pid: number): Promise<number | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    // The second field, the name, is in parentheses and may hold anything.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19])
  } catch {
    return null
  }
}
