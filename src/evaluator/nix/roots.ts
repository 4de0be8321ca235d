import { createHash } from 'node:crypto'
import { appendFile, lstat, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import type { NixContext } from './context.ts'
import { storeEnvironment } from './environment.ts'
import { cacheDirectory } from './home.ts'
import { flakeUrl } from './flake-url.ts'
import { runNix, tryNix } from './run-nix.ts'
import { writingState } from './nix-error.ts'
import { nixError } from './nix-failure.ts'
import type { FlakeSource } from './types.ts'

/**
 * The files that a commit's roots and lists are in begin with this. Nix numbers several links itself: `KEY`, `KEY-1`…
 */
function keyOf(source: FlakeSource): string {
  return createHash('sha256').update(flakeUrl(source)).digest('hex').slice(0, 32)
}

/** Keeps the paths in the store until `collect` is called without their source. */
export async function addRoots(
  context: NixContext,
  source: FlakeSource,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const link = join(context.home.roots, keyOf(source))
  const args = ['build', '--offline', '--out-link', link, '--', ...paths]
  const action = 'keeping the inputs in the store'
  const { timeoutMs, programs } = context
  await runNix(programs, args, { action, env: storeEnvironment(context), timeoutMs, signal })
}

/** Remembers derivations that evaluations wrote, for `collect`. Nothing keeps them from the machine's own collector. */
export async function rememberWritten(
  context: NixContext,
  source: FlakeSource,
  drvPaths: Iterable<string>,
): Promise<void> {
  const text = [...drvPaths].map((path) => `${path}\n`).join('')
  const { written } = context.home
  await writingState(written, () => appendFile(join(written, keyOf(source)), text, { mode: 0o600 }))
}

/**
 * Deletes from the store what was fetched and written for sources that are not in `keep`, except what others need:
 * sources in `keep`, and whatever else has a root on this machine.
 */
export async function collect(
  context: NixContext,
  keep: readonly FlakeSource[],
  signal: AbortSignal,
): Promise<void> {
  const { roots, written, released: leftOver } = context.home
  await removeCaches(context, keep)
  const kept = new Set(keep.map(keyOf))
  const isKept = (file: string): boolean => kept.has(file.slice(0, 32))
  const stillNeeded = new Set<string>()
  const released = new Set(await readLines(leftOver))
  for (const file of await readdir(roots)) {
    const target = await readlink(join(roots, file))
    if (isKept(file)) {
      stillNeeded.add(target)
    } else {
      // what has no root any more and is not deleted yet is for the next time, should this one be interrupted
      await appendFile(leftOver, `${target}\n`, { mode: 0o600 })
      await rm(join(roots, file))
      released.add(target)
    }
  }
  const unneeded = [...released].filter((path) => !stillNeeded.has(path))
  await deletePaths(context, unneeded, signal)
  await rm(leftOver, { force: true })
  for (const file of (await readdir(written)).filter((name) => !isKept(name))) {
    await deleteDerivations(context, await readLines(join(written, file)), signal)
    await rm(join(written, file))
  }
}

/** None when there is no such file. */
async function readLines(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter(Boolean)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** What Nix cached for mirrors of which nothing is kept. */
async function removeCaches({ home }: NixContext, keep: readonly FlakeSource[]): Promise<void> {
  const kept = new Set(keep.map((source) => cacheDirectory(home, source)))
  const found = (await readdir(home.caches)).map((name) => join(home.caches, name))
  for (const path of found) if (!kept.has(path)) await rm(path, { recursive: true, force: true })
}

const isDerivation = (path: string): boolean => path.endsWith('.drv')

/** With all that they need. */
async function deleteDerivations(
  context: NixContext,
  drvPaths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { programs, timeoutMs } = context
  const run = { action: 'looking into the store', env: storeEnvironment(context), timeoutMs, signal }
  const closure: string[] = []
  for (const some of slices(await existingPaths(drvPaths))) {
    const args = ['path-info', '--offline', '--recursive', '--derivation', '--', ...some]
    closure.push(...(await runNix(programs, args, run)).split('\n').filter(Boolean))
  }
  await deletePaths(context, closure.filter(isDerivation), signal)
  await deletePaths(
    context,
    closure.filter((path) => !isDerivation(path)),
    signal,
  )
}

/** Of a command line, which may have 2 MiB (execve(2)): some 100 kB. */
const MOST_PATHS = 1000

function* slices(paths: readonly string[]): Generator<string[]> {
  for (let start = 0; start < paths.length; start += MOST_PATHS) yield paths.slice(start, start + MOST_PATHS)
}

async function deletePaths(
  context: NixContext,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const some of slices(paths)) await deleteSome(context, some, signal)
}

/** Nix deletes none of those after one that something needs: then each half by itself. */
async function deleteSome(context: NixContext, paths: readonly string[], signal: AbortSignal): Promise<void> {
  const existing = await existingPaths(paths)
  if (existing.length === 0 || (await tryDelete(context, existing, signal)) || existing.length === 1) return
  const middle = Math.ceil(existing.length / 2)
  await deleteSome(context, existing.slice(0, middle), signal)
  await deleteSome(context, existing.slice(middle), signal)
}

async function existingPaths(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(paths)].map(async (path) => ((await exists(path)) ? [path] : [])),
  )
  return found.flat()
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** Whether all are deleted; false when something needs one of them, or one is gone. */
async function tryDelete(
  context: NixContext,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const { programs, timeoutMs } = context
  const action = 'deleting from the store'
  // Nix 2.8 takes the path of a derivation for its outputs.
  const kind = paths.every(isDerivation) ? ['--derivation'] : []
  const args = ['store', 'delete', '--offline', ...kind, '--', ...paths]
  const run = { action, env: storeEnvironment(context), timeoutMs, signal }
  const { isSuccess, stderr } = await tryNix(programs, args, run)
  const isExpected = /is still alive|is not valid|does not exist/.test(stderr)
  if (!isSuccess && !isExpected) throw nixError(action, stderr)
  return isSuccess
}
