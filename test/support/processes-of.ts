import { readdir, readFile } from 'node:fs/promises'

export interface FoundProcess {
  pid: number
  /** Its arguments with blanks between them. */
  command: string
}

/** The processes that have `text`, such as a directory of a test's own, in their environment or arguments; those that have ended do not count. */
export async function processesWith(text: string): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      // a process that is gone meanwhile has none, and so has a zombie
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')
      const command = (await read('cmdline')).replaceAll('\0', ' ')
      return { pid, command, isIts: `${await read('environ')}${command}`.includes(text) }
    }),
  )
  return found
    .filter(({ pid, isIts }) => isIts && pid !== process.pid)
    .map(({ pid, command }) => ({ pid, command }))
}
