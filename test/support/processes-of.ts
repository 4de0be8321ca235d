import { readdir, readFile } from 'node:fs/promises'

/** The processes that have `text` in their environment, such as a directory of a test's own; those that have ended do not count. */
export async function processesWith(text: string): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const environments = await Promise.all(
    // A process that is gone meanwhile has none, and so has a zombie.
    ids.map((id) => readFile(`/proc/${id}/environ`, 'latin1').catch(() => '')),
  )
  return ids.filter((id, index) => id !== process.pid && environments[index]?.includes(text))
}
