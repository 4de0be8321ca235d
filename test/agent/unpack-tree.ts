import { lutimes, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export const TREES = ['laptop', 'server', 'vm', 'container', 'fedora', 'raspberry-pi'] as const

/**
 * Lays a host's files, kept in `trees/<name>.tree`, out in a temporary directory that lives as long as the test. /sys is
 * thousands of links, hence one text for each host. What the hosts are is made up; the formats are those of real
 * ones, and the files of /proc/net were printed by a kernel that was set up with these addresses and routes.
 *
 * One entry a line, lines of a file's content below it:
 *
 *     file PATH                 a file; each line `| TEXT` below is one line of it
 *     base64 PATH CONTENT       a file of other bytes
 *     dir PATH                  an empty directory
 *     link PATH -> TARGET       a link; with `@TIME` after it, when it was made
 *     unreadable PATH           a link to itself, which nobody can open, not even root
 */
export async function unpackTree(name: string): Promise<string> {
  return unpack(await readFile(join(import.meta.dirname, `trees/${name}.tree`), 'utf8'))
}

export async function unpack(tree: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-tree-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const entries = parseTree(tree)
  const parents = new Set(entries.map(({ kind, path }) => (kind === 'dir' ? path : dirname(path))))
  for (const parent of parents) await mkdir(join(directory, parent), { recursive: true })
  await Promise.all(entries.map((entry) => lay(directory, entry)))
  return directory
}

interface Entry {
  kind: string
  path: string
  rest: string
  lines: string[]
}

function parseTree(tree: string): Entry[] {
  const entries: Entry[] = []
  for (const line of tree.split('\n')) {
    const content = /^\|(?: (.*))?$/.exec(line)
    const entry = /^(file|base64|dir|link|unreadable) (\/\S+)(?: (.*))?$/.exec(line)
    if (content !== null) entries.at(-1)!.lines.push(content[1] ?? '')
    else if (entry !== null)
      entries.push({ kind: entry[1]!, path: entry[2]!, rest: entry[3] ?? '', lines: [] })
    else if (line !== '' && !line.startsWith('#')) throw new Error(`not a line of a tree: ${line}`)
  }
  return entries
}

async function lay(directory: string, { kind, path, rest, lines }: Entry): Promise<void> {
  const place = join(directory, path)
  if (kind === 'file') await writeFile(place, lines.map((line) => `${line}\n`).join(''))
  else if (kind === 'base64') await writeFile(place, Buffer.from(rest, 'base64'))
  else if (kind === 'unreadable') await symlink(basename(place), place)
  else if (kind === 'link') {
    const [target, time] = rest.replace('-> ', '').split(' @')
    await symlink(target!, place)
    if (time !== undefined) await lutimes(place, new Date(time), new Date(time))
  }
}
